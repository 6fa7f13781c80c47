/** Work for the background in each second: less on a machine that has little to spare. */

export interface Step {
  /** Frames per second at most. */
  readonly frameRate: number;
  /** The shorter side of a frame, in pixels, about. */
  readonly lines: number;
  /** The model looks at one of so many frames. */
  readonly everyFrames: number;
}

/** From the best picture to the cheapest. */
export const STEPS: readonly Step[] = [
  { frameRate: 30, lines: 720, everyFrames: 2 },
  { frameRate: 20, lines: 720, everyFrames: 2 },
  { frameRate: 15, lines: 720, everyFrames: 2 },
  { frameRate: 15, lines: 360, everyFrames: 2 },
  { frameRate: 10, lines: 360, everyFrames: 2 },
];

/** The share of a core that backgrounds may take. */
const BUDGET = 0.25;
/** The share from which even the cheapest step is too dear. */
const TOO_MUCH = 0.5;
/** Time (ms) before a step is judged: models start slowly. */
const JUDGED_AFTER_MS = 3_000;
/** Time (ms) after which a better step is tried, if it promises to cost little enough. */
const BETTER_AFTER_MS = 10_000;
/** Weight of the newest frame in the moving average. */
const NEWEST = 0.05;

export interface Effort {
  readonly step: number;
  /** Moving average of the time (ms) for a frame; null before the first. */
  readonly frameMs: number | null;
  /** Since when this step has been taken; null before its first frame. */
  readonly since: number | null;
  /** No step better than this one is tried again: it was too dear. */
  readonly best: number;
}

/** Starts with a step that most machines can take; better ones are tried later. */
export const FIRST_EFFORT: Effort = { step: 2, frameMs: null, since: null, best: 0 };

/** The effort after a frame that took so long (ms). */
export function reduceEffort(effort: Effort, { now, took }: { now: number; took: number }): Effort {
  const before = effort.frameMs ?? took;
  // One slow frame counts for little: a busy moment passes.
  const frameMs = before + NEWEST * (Math.min(took, 2 * before) - before);
  const since = effort.since ?? now;
  const { step } = effort;
  const share = shareOf(frameMs, STEPS[step]);
  const better = STEPS[step - 1];
  if (share > BUDGET && now - since >= JUDGED_AFTER_MS && step + 1 < STEPS.length) {
    return { step: step + 1, frameMs: null, since: null, best: step + 1 };
  }
  if (better && step > effort.best && now - since >= BETTER_AFTER_MS) {
    // Four times the pixels may take four times as long.
    const growth = (better.lines / (STEPS[step] as Step).lines) ** 2;
    if (shareOf(frameMs * growth, better) < BUDGET) {
      return { ...effort, step: step - 1, frameMs: null, since: null };
    }
  }
  return { ...effort, frameMs, since };
}

/** Even the cheapest step takes the time that the call itself needs. */
export function isTooDear({ step, frameMs, since }: Effort, now: number): boolean {
  if (step + 1 < STEPS.length || frameMs === null || since === null) return false;
  return now - since >= JUDGED_AFTER_MS && shareOf(frameMs, STEPS[step]) > TOO_MUCH;
}

function shareOf(frameMs: number, step: Step | undefined): number {
  return (frameMs * (step?.frameRate ?? 0)) / 1000;
}
