/** The recipient of the next messages: one participant, or everybody. */
import type { CallState, RemoteParticipant } from "moim-client";
import { mayChatPrivately } from "moim-client";
import { distinctName } from "../parts/distinct-name.ts";

/** Null is everybody. */
export type Recipient = { readonly id: string; readonly name: string } | null;

/** Those to whom a private message may be sent, by their names. */
export function recipientsOf(
  call: Pick<CallState, "policy" | "self"> & { others: readonly RemoteParticipant[] },
): readonly NonNullable<Recipient>[] {
  return call.others
    .filter((other) => mayChatPrivately(call, other))
    .map((other) => ({ id: other.id, name: distinctName(other) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * A message that was meant for one is never sent to everybody: a recipient who has left, or may no
 * longer be written to, stays chosen and receives nothing.
 */
export function isOutOfReach(
  recipient: Recipient,
  recipients: readonly NonNullable<Recipient>[],
): boolean {
  return recipient !== null && recipients.every(({ id }) => id !== recipient.id);
}
