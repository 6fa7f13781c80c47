// Who is speaking, from how loud each is.
import type { ParticipantId } from "../protocol.ts";

/** Loudness, 0 to 1 linear, above which it counts as speech. */
const SPEECH = 0.02;

/** How long a speaker counts as speaking after the last loud moment, in milliseconds. */
const PAUSE = 700;

/** When each was last loud, in milliseconds of any one clock. */
export type Heard = ReadonlyMap<ParticipantId, number>;

/** What was heard after listening once more; who is silent for long is forgotten. */
export function afterListening(
  heard: Heard,
  levels: ReadonlyMap<ParticipantId, number>,
  now: number,
): Heard {
  const next = new Map([...heard].filter(([, last]) => now - last <= PAUSE));
  for (const [id, level] of levels) {
    if (level > SPEECH) next.set(id, now);
  }
  return next;
}

/**
 * A level as the media server tells it, in decibels above silence (127 less that of RFC 6464), as
 * loudness, 0 to 1 linear.
 */
export function loudnessOf(level: number): number {
  return level <= 0 ? 0 : 10 ** ((Math.min(level, 127) - 127) / 20);
}
