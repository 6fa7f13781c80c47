/** Events between two states of a call, such as a participant joining. */
import type { CallState, RemoteParticipant } from "moim-client";
import type { Messages } from "../i18n/en.ts";
import { clip } from "../parts/clip.ts";
import { distinctName } from "../parts/distinct-name.ts";

export type CallEvent =
  | { kind: "joined" | "left" | "startedSharing" | "stoppedSharing" | "raisedHand"; name: string }
  /** Several participants within a moment. */
  | { kind: "joinedTogether"; names: readonly string[] }
  | { kind: "mutedMic" | "mutedCamera" | "mutedScreen" | "loweredHand"; by: string }
  | { kind: "reacted"; name: string; emoji: string }
  | { kind: "reconnecting" | "reconnected" };

type Snapshot = Pick<CallState, "status"> &
  Partial<Pick<CallState, "mutedBy" | "handLoweredBy" | "reaction">> & {
    others: readonly (Pick<RemoteParticipant, "id" | "name" | "alike" | "raised"> & {
      media: Pick<RemoteParticipant["media"], "screen">;
    })[];
  };

export function callEventsBetween(before: Snapshot, after: Snapshot): CallEvent[] {
  const events: CallEvent[] = [];
  if (before.status === "joined" && after.status === "reconnecting") {
    events.push({ kind: "reconnecting" });
  }
  if (before.status === "reconnecting" && after.status === "joined") {
    events.push({ kind: "reconnected" });
  }
  // Ending one's own call removes all participants; none of them left.
  if (after.status === "ended") return events;
  const idsAfter = new Set(after.others.map(({ id }) => id));
  const idsBefore = new Set(before.others.map(({ id }) => id));
  for (const other of before.others) {
    if (!idsAfter.has(other.id)) events.push({ kind: "left", name: distinctName(other) });
  }
  for (const other of after.others) {
    const { id, media } = other;
    const name = distinctName(other);
    if (!idsBefore.has(id)) events.push({ kind: "joined", name });
    const earlier = before.others.find((other) => other.id === id);
    const wasSharing = earlier?.media.screen ?? false;
    if (media.screen !== wasSharing)
      events.push({ kind: media.screen ? "startedSharing" : "stoppedSharing", name });
    if (earlier && other.raised !== undefined && earlier.raised === undefined)
      events.push({ kind: "raisedHand", name });
  }
  if (after.mutedBy && after.mutedBy !== before.mutedBy) {
    const { name: by, sources } = after.mutedBy;
    if (sources.includes("microphone")) events.push({ kind: "mutedMic", by });
    if (sources.includes("camera")) events.push({ kind: "mutedCamera", by });
    if (sources.includes("screen")) events.push({ kind: "mutedScreen", by });
  }
  if (after.handLoweredBy && after.handLoweredBy !== before.handLoweredBy)
    events.push({ kind: "loweredHand", by: after.handLoweredBy.name });
  if (after.reaction && after.reaction.key !== before.reaction?.key) {
    const { name, emoji } = after.reaction;
    events.push({ kind: "reacted", name, emoji });
  }
  return events;
}

/** Length of a name in a sentence; the tile has the whole one. */
const MAX_NAME = 24;

export function callEventText(event: CallEvent, t: Messages): string {
  if ("name" in event) return textOf({ ...event, name: clip(event.name, MAX_NAME) }, t);
  return textOf(event, t);
}

function textOf(event: CallEvent, t: Messages): string {
  switch (event.kind) {
    case "joined":
      return t.announcements.joined(event.name);
    case "joinedTogether": {
      const [first = "", second = "", ...others] = event.names.map((name) => clip(name, MAX_NAME));
      return t.announcements.joinedTogether(first, second, others.length);
    }
    case "left":
      return t.announcements.left(event.name);
    case "raisedHand":
      return t.announcements.raisedHand(event.name);
    case "startedSharing":
      return t.announcements.startedSharing(event.name);
    case "stoppedSharing":
      return t.announcements.stoppedSharing(event.name);
    case "mutedMic":
    case "mutedCamera":
    case "mutedScreen":
    case "loweredHand":
      return t.people[event.kind](event.by || t.people.someone);
    case "reacted":
      return t.people.reacted(event.name, event.emoji);
    case "reconnecting":
      return t.announcements.reconnecting;
    case "reconnected":
      return t.announcements.reconnected;
  }
}
