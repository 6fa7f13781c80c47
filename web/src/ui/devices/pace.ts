/** Detects that a device is too slow to change each frame of a camera. */

/** Time (ms) for a frame above which a picture stutters: fewer than ten a second. */
const SLOW_FRAME_MS = 100;
/** How long (ms) it has to be so: models start slowly, and a busy moment passes. */
const SLOW_FOR_MS = 6_000;
/** Weight of the newest frame in the moving average. */
const NEWEST = 0.1;

export interface Pace {
  /** Moving average (ms). */
  readonly frameMs: number;
  /** Since when it has been above the limit; null if it isn't. */
  readonly slowSince: number | null;
}

export const NO_PACE: Pace = { frameMs: 0, slowSince: null };

/** The pace after a frame that took so long (ms). */
export function reducePace(pace: Pace, { now, took }: { now: number; took: number }): Pace {
  const frameMs = pace.frameMs + NEWEST * (took - pace.frameMs);
  const slowSince = frameMs > SLOW_FRAME_MS ? (pace.slowSince ?? now) : null;
  return { frameMs, slowSince };
}

export function isTooSlow({ slowSince }: Pace, now: number): boolean {
  return slowSince !== null && now - slowSince >= SLOW_FOR_MS;
}
