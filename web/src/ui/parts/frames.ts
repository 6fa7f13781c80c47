/** Detects that a video shows frames, from counts that are read from time to time. */

/** `waiting`: no frame of the current stream yet. `stalled`: none for a while. */
export type FrameState = "waiting" | "playing" | "stalled";

/** Time without a frame after which a video counts as stalled. */
const STALLED_MS = 2_500;

export interface Frames {
  readonly state: FrameState;
  /** Number of frames at the last change. */
  readonly count: number;
  /** Time of the last change. */
  readonly at: number;
}

/** `count`: frames so far, also those of an earlier stream. */
export function startFrames(count: number, now: number): Frames {
  return { state: "waiting", count, at: now };
}

/** The same object if nothing changed. `isHidden`: a hidden page receives no video. */
export function reduceFrames(
  frames: Frames,
  { count, now, isHidden }: { count: number; now: number; isHidden: boolean },
): Frames {
  if (count !== frames.count) return { state: "playing", count, at: now };
  if (isHidden) return { ...frames, at: now };
  if (frames.state !== "playing" || now - frames.at < STALLED_MS) return frames;
  return { ...frames, state: "stalled" };
}
