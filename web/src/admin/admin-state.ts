/** The user of the admin page: nobody yet, or an administrator. */
import type { AdminSession } from "./types.ts";

export type AdminState =
  | { phase: "loading" }
  /** The server could not be asked. */
  | { phase: "unreachable" }
  /** `once`: the secret of the one-time link by which somebody came. */
  | {
      phase: "signedOut";
      hasAdministrators: boolean;
      once: string | null;
      /** The session ended by itself. */
      hasExpired: boolean;
    }
  | { phase: "signedIn"; name: string };

export type AdminEvent =
  | { type: "session"; session: AdminSession; once: string | null }
  | { type: "unreachable" }
  | { type: "entered"; session: AdminSession }
  | { type: "expired" }
  | { type: "signedOut" };

export const NOBODY: AdminState = { phase: "loading" };

export function reduceAdmin(state: AdminState, event: AdminEvent): AdminState {
  switch (event.type) {
    case "session": {
      const { administrator, has_administrators: hasAdministrators } = event.session;
      // A link is for somebody new, even in the browser of somebody who is signed in.
      if (administrator !== null && event.once === null) {
        return { phase: "signedIn", name: administrator };
      }
      return { phase: "signedOut", hasAdministrators, once: event.once, hasExpired: false };
    }
    case "unreachable":
      return state.phase === "loading" ? { phase: "unreachable" } : state;
    case "entered":
      return event.session.administrator === null
        ? state
        : { phase: "signedIn", name: event.session.administrator };
    case "expired":
    case "signedOut":
      // Late answers of an earlier session change nothing.
      if (state.phase !== "signedIn") return state;
      return {
        phase: "signedOut",
        hasAdministrators: true,
        once: null,
        hasExpired: event.type === "expired",
      };
  }
}

/** The secret of a one-time link, from the fragment of an address. */
export function onceOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("once") || null;
}
