/** Terms of an invitation, as choices and as words. */
import type { Invitation, Role } from "moim-client";
import type { Messages } from "../i18n/en.ts";
import { roomLink } from "../router.ts";

/** Numbers of people who may enter; 0 is any number. */
export const USES: readonly number[] = [1, 10, 0];

/** Times until an invitation expires, in seconds; 0: with the room. */
export const TIMES: readonly number[] = [60 * 60, 24 * 60 * 60, 7 * 24 * 60 * 60, 0];

/** Roles that may be invited, without `co_host` unless a host does it. */
export function rolesToInvite(mayInviteCoHosts: boolean): readonly Role[] {
  return mayInviteCoHosts ? ["speaker", "viewer", "co_host"] : ["speaker", "viewer"];
}

/** Link with the key in its fragment, which browsers send to no server. */
export function invitationLink(room: string, key: string, origin?: string): string {
  return `${roomLink(room, origin)}#k=${encodeURIComponent(key)}`;
}

/** Uses and end of an invitation in the reader's words. */
export function termsOf(
  { uses, used, expires }: Invitation,
  t: Messages,
  language: string,
): string {
  const entered = uses === undefined ? t.invite.entered(used) : t.invite.enteredOf(used, uses);
  if (expires === undefined) return entered;
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return `${entered} · ${t.invite.until(date.format(expires))}`;
}
