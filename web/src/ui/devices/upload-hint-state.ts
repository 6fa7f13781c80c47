/** When the hint about a weak upload is shown: at most once a minute, for a while. */

const INTERVAL_MS = 60_000;
const SHOWN_MS = 20_000;

export interface UploadHintState {
  readonly isShown: boolean;
  /** Last time that it appeared, in milliseconds of a monotonic clock. */
  readonly shownAt: number;
}

export const NO_UPLOAD_HINT: UploadHintState = {
  isShown: false,
  shownAt: Number.NEGATIVE_INFINITY,
};

export function reduceUploadHint(
  state: UploadHintState,
  { now, isWeak }: { now: number; isWeak: boolean },
): UploadHintState {
  const age = now - state.shownAt;
  if (state.isShown) return age < SHOWN_MS ? state : { ...state, isShown: false };
  return isWeak && age >= INTERVAL_MS ? { isShown: true, shownAt: now } : state;
}
