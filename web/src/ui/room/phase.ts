/** Phases of the view at `/r/NAME`: before, in and after the call. */
import type { Call, CallState } from "../../client/index.ts";
import type { Rejection } from "./rejection.ts";

export type Phase =
  | { name: "preview"; rejection: Rejection | null }
  | { name: "joining"; rejection: Rejection | null }
  /** Another tab is in this call; nothing happens before an answer. */
  | { name: "elsewhere"; request: JoinAs }
  /** In the waiting room, until a host decides. */
  | { name: "waiting" }
  | { name: "call"; call: Call }
  | { name: "ended"; error: CallState["error"] };

/** Name and password with which a room is joined. */
export interface JoinAs {
  name: string;
  password: string;
}

export type PhaseEvent =
  | { type: "join" }
  | { type: "elsewhere"; request: JoinAs }
  | { type: "waiting" }
  | { type: "cancelled" }
  | { type: "joined"; call: Call }
  | { type: "rejected"; rejection: Rejection }
  | { type: "ended"; call: Call; error: CallState["error"] }
  | { type: "navigatedBack" };

export function reducePhase(phase: Phase, event: PhaseEvent): Phase {
  switch (event.type) {
    case "join":
      // The last rejection is kept, so that the password field stays mounted.
      return { name: "joining", rejection: phase.name === "preview" ? phase.rejection : null };
    case "elsewhere":
      return phase.name === "call" ? phase : { name: "elsewhere", request: event.request };
    case "waiting":
      return phase.name === "joining" ? { name: "waiting" } : phase;
    case "cancelled":
      return isPending(phase) ? { name: "preview", rejection: null } : phase;
    case "joined":
      return isPending(phase) ? { name: "call", call: event.call } : phase;
    case "rejected":
      return isPending(phase) ? { name: "preview", rejection: event.rejection } : phase;
    case "ended":
      return phase.name === "call" && phase.call === event.call
        ? { name: "ended", error: event.error }
        : phase;
    case "navigatedBack":
      return phase.name === "ended" ? { name: "preview", rejection: null } : phase;
  }
}

function isPending(phase: Phase): boolean {
  return phase.name === "joining" || phase.name === "waiting";
}
