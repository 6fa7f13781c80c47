/** What has become of files between two states. */
import type { FilesState, ReceivedFile } from "moim-client";

export type FileEvent =
  | { kind: "received"; file: string; received: ReceivedFile }
  | { kind: "failed" | "withdrawn"; file: string }
  /** Somebody has an own file, or does not want it. */
  | { kind: "sent" | "refused"; file: string; name: string };

export function fileEventsBetween(before: FilesState, after: FilesState): FileEvent[] {
  const events: FileEvent[] = [];
  for (const [id, received] of after.received) {
    const was = before.received.get(id)?.status;
    const { status } = received;
    if (was === status) continue;
    const file = received.file.name;
    if (status === "received") events.push({ kind: "received", file, received });
    if (status === "failed") events.push({ kind: "failed", file });
    if (status === "unavailable") events.push({ kind: "withdrawn", file });
  }
  for (const [id, own] of after.own) {
    const earlier = before.own.get(id)?.recipients ?? [];
    for (const { id: recipient, name, status } of own.recipients) {
      const was = earlier.find((each) => each.id === recipient)?.status;
      if (was === status) continue;
      const file = own.file.name;
      if (status === "received") events.push({ kind: "sent", file, name });
      if (status === "refused") events.push({ kind: "refused", file, name });
    }
  }
  return events;
}
