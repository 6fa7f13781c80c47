/** Rejections of requests to join or create a room, and their texts. */
import { type NameError, RequestError, type RequestErrorCode } from "moim-client";
import type { Messages } from "../i18n/en.ts";

export interface Rejection {
  code: RequestErrorCode;
  /** Category that the user can act on. */
  kind: "full" | "password" | "other";
  /** Reason why the name of the participant or the room is invalid. */
  nameError?: NameError;
}

export function rejectionOf(error: unknown): Rejection {
  const code = error instanceof RequestError ? error.code : "internal";
  if (code === "room_full") return { code, kind: "full" };
  if (code === "password_required" || code === "wrong_password") return { code, kind: "password" };
  const nameError = error instanceof RequestError ? error.nameError : undefined;
  return { code, kind: "other", ...(nameError && { nameError }) };
}

/** True if it is about the invitation, without which joining may succeed. */
export function isOfInvitation(code: RequestErrorCode): boolean {
  return code === "invalid_invitation" || code.startsWith("invitation_");
}

/** Text in the user's language; the server's own message is in English. */
export function rejectionText(
  code: RequestErrorCode,
  room: string,
  t: Messages,
  nameError?: NameError,
): string {
  // A reason unknown to this page falls back to the general text for an invalid name.
  if (nameError && nameError in t.errors.name) return t.errors.name[nameError];
  switch (code) {
    case "room_full":
      return t.errors.room_full(room);
    case "room_exists":
      return t.create.exists(room);
    case "room_locked":
    case "banned":
    case "denied":
    case "token_expired":
    case "invalid_token":
    case "wrong_room":
    case "invalid_invitation":
    case "invitation_expired":
    case "invitation_used_up":
    case "invitation_revoked":
    case "sign_in_required":
    case "api_only":
    case "wrong_password":
    case "password_required":
    case "invalid":
    case "rate_limited":
    case "server_full":
    case "server_draining":
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
