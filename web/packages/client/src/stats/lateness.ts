// The lateness of the page's timers, which shows a computer that is too slow for the call. What the
// encoder says of itself does not: a browser that gets a fifth of a core encodes few frames, each in
// good time.

const INTERVAL_MS = 500;

/** One pause counts for no more than this: a computer that slept is not slow. */
const MAX_LATE_MS = 1_000;

/** A shorter time of watching tells nothing. */
const MIN_WATCHED_MS = 5_000;

export interface LatenessOptions {
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** Browsers delay the timers of hidden pages. */
  readonly isHidden?: () => boolean;
}

export class Lateness {
  readonly #now: () => number;
  readonly #isHidden: () => boolean;
  #late = 0;
  #watched = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LatenessOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#isHidden = options.isHidden ?? (() => globalThis.document?.hidden ?? false);
    this.#schedule();
  }

  /** Share of the time since the last call by which timers were late, thousandths; undefined if it
   * was too short, or the page hidden. */
  take(): number | undefined {
    const [late, watched] = [this.#late, this.#watched];
    [this.#late, this.#watched] = [0, 0];
    return watched < MIN_WATCHED_MS ? undefined : Math.round((late / watched) * 1000);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const [due, wasHidden] = [this.#now() + INTERVAL_MS, this.#isHidden()];
    this.#timer = setTimeout(() => {
      if (!wasHidden && !this.#isHidden()) {
        const late = Math.min(MAX_LATE_MS, Math.max(0, this.#now() - due));
        this.#late += late;
        this.#watched += INTERVAL_MS + late;
      }
      this.#schedule();
    }, INTERVAL_MS);
  }
}
