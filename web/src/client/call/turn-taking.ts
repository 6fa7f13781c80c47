// Who has the floor: the one to be shown large.
import type { ParticipantId } from "../protocol.ts";

/** How long somebody else has to have been speaking over the one shown, in milliseconds. */
const INSISTENCE = 1_500;

/** Who is shown, and who is about to be. */
export interface Floor {
  readonly speaker: ParticipantId | null;
  readonly rival: { readonly id: ParticipantId; readonly since: number } | null;
}

export const NO_FLOOR: Floor = { speaker: null, rival: null };

/**
 * The floor after listening once more to `speaking`, the loudest first. Whoever falls silent keeps
 * it until somebody speaks, so that a pause changes nothing.
 */
export function afterTurn(
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
  if (now - floor.rival.since < INSISTENCE) return floor;
  return { speaker: loudest, rival: null };
}
