// Speech detection from audio levels.
import type { ParticipantId } from "../protocol.ts";

/** Linear level, 0 to 1, above which audio counts as speech. */
const SPEECH_LEVEL = 0.02;

/** Time that a participant counts as speaking after the last loud measurement. */
const HANGOVER_MS = 700;

/** Last loud measurement of each speaking participant, in milliseconds of a monotonic clock. */
export type Speaking = ReadonlyMap<ParticipantId, number>;

/** Adds one measurement; participants that have fallen silent are removed. */
export function reduceSpeaking(
  speaking: Speaking,
  levels: ReadonlyMap<ParticipantId, number>,
  now: number,
): Speaking {
  const next = new Map([...speaking].filter(([, last]) => now - last <= HANGOVER_MS));
  for (const [id, level] of levels) {
    if (level > SPEECH_LEVEL) next.set(id, now);
  }
  return next;
}

/**
 * Converts a level of the media server, in decibels above silence (127 minus that of RFC 6464), to
 * a linear level, 0 to 1.
 */
export function linearLevel(level: number): number {
  return level <= 0 ? 0 : 10 ** ((Math.min(level, 127) - 127) / 20);
}
