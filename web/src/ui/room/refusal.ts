/** What a refused join or creation says, and where on the page it belongs. */
import { type NameError, RequestError, type RequestErrorCode } from "../../client/index.ts";
import type { Messages } from "../i18n/en.ts";

export interface Refusal {
  code: RequestErrorCode;
  /** What the person can act on. */
  kind: "full" | "password" | "other";
  /** Why the name of the person or the room was not taken. */
  nameError?: NameError;
}

export function refusalOf(error: unknown): Refusal {
  const code = error instanceof RequestError ? error.code : "internal";
  if (code === "room_full") return { code, kind: "full" };
  if (code === "password_required" || code === "wrong_password") return { code, kind: "password" };
  const nameError = error instanceof RequestError ? error.nameError : undefined;
  return { code, kind: "other", ...(nameError && { nameError }) };
}

/** In words, in the person's language; the server's own are English. */
export function refusalText(
  code: RequestErrorCode,
  room: string,
  t: Messages,
  nameError?: NameError,
): string {
  // One that this page does not know yet is a name that was not taken.
  if (nameError && nameError in t.errors.name) return t.errors.name[nameError];
  switch (code) {
    case "room_full":
      return t.errors.room_full(room);
    case "room_exists":
      return t.create.exists(room);
    case "wrong_password":
    case "password_required":
    case "invalid":
    case "rate_limited":
    case "server_full":
    case "already_joined":
    case "resume_expired":
      return t.errors[code];
    case "timeout":
    case "unreachable":
      return t.errors.offline;
    default:
      return t.errors.internal;
  }
}
