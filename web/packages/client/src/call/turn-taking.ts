// Selection of the active speaker, which the speaker view shows large.
import type { ParticipantId } from "../protocol.ts";

/** Time that another participant has to talk over the active speaker to replace it. */
const TAKEOVER_MS = 1_500;

export interface Floor {
  readonly speaker: ParticipantId | null;
  /** The participant that talks over the speaker. */
  readonly rival: { readonly id: ParticipantId; readonly since: number } | null;
}

export const NO_FLOOR: Floor = { speaker: null, rival: null };

/**
 * Adds one measurement; `speaking` is sorted by level, the loudest first. A speaker that falls
 * silent keeps the floor until another one speaks, so that a pause changes nothing.
 */
export function reduceFloor(
  floor: Floor,
  speaking: readonly ParticipantId[],
  present: readonly ParticipantId[],
  now: number,
): Floor {
  const speaker = floor.speaker && present.includes(floor.speaker) ? floor.speaker : null;
  const loudest = speaking.find((id) => present.includes(id));
  if (loudest === undefined || loudest === speaker) {
    return speaker === floor.speaker && !floor.rival ? floor : { speaker, rival: null };
  }
  if (speaker === null || !speaking.includes(speaker)) return { speaker: loudest, rival: null };
  if (floor.rival?.id !== loudest) return { speaker, rival: { id: loudest, since: now } };
  if (now - floor.rival.since < TAKEOVER_MS) return floor;
  return { speaker: loudest, rival: null };
}
