// Whether a track has brought something since it was first looked at. Sections are used again for
// others, whose counts go on from there; so what counts is more than at the first look.
import type { Counters } from "../rtc/counters.ts";
import type { Source } from "../rtc/source.ts";

/** How often to look, in milliseconds, and when it takes long. */
const LOOKING = 100;
const LOOKING_LONG = 500;
const LONG = 10_000;

/** A voice that brings no packets for so long is taken for silent, in milliseconds. */
const SILENT = 2_000;

/**
 * A camera's picture has come once it has moved for so long, in milliseconds: on a busy machine the
 * frames that follow upon the first were seen to take seconds.
 */
const STEADY = 1_000;

/** What brings nothing for so long does not move, in milliseconds. */
const STILL = 700;

/** A camera that gives a frame now and then is waited for no longer than this, in milliseconds. */
const SLOW = 6_000;

/** What a track has brought so far. */
interface Arrival {
  /** At the first look. */
  readonly count: number;
  readonly at: number;
  readonly now: number;
  /** When it was last seen to bring something, and since when it does without a stop. */
  readonly last: number;
  readonly since: number | null;
}

export interface ArrivalsOptions {
  /** Asks how much each track has brought, by the names that `hasCome` is asked with. */
  count: () => Promise<Counters>;
  /** It was looked again: what has come may have changed. */
  looked: () => void;
}

/** Looks while somebody waits for something, and costs nothing otherwise. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #arrivals = new Map<string, Arrival>();
  #counters: Counters = new Map();
  #since: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /**
   * Whether the track has brought enough to go by: a camera's picture that moves, of anything else
   * whatever there was. `who` it is from tells one use of a section from the next.
   */
  hasCome(track: string, who: string, source: Source): boolean {
    const count = this.#counters.get(track);
    if (count === undefined) return false;
    const key = `${track} ${who}`;
    const now = performance.now();
    const arrival = after(this.#arrivals.get(key), count, now);
    this.#arrivals.set(key, arrival);
    const { since, at, last } = arrival;
    const brought = count > arrival.count;
    if (source === "microphone") return brought || now - at > SILENT;
    if (source !== "camera") return brought;
    return since !== null && (now - since >= STEADY || (now - at >= SLOW && last === now));
  }

  lookWhile(waits: boolean): void {
    if (!waits) {
      clearTimeout(this.#timer);
      this.#since = null;
      this.#arrivals.clear();
      this.#counters = new Map();
    } else if (this.#since === null) {
      this.#since = performance.now();
      void this.#look(this.#since);
    }
  }

  async #look(since: number): Promise<void> {
    const counters = await this.#options.count();
    if (this.#since !== since) return;
    this.#counters = counters;
    this.#options.looked();
    if (this.#since !== since) return;
    const pause = performance.now() - since > LONG ? LOOKING_LONG : LOOKING;
    this.#timer = setTimeout(() => void this.#look(since), pause);
  }
}

function after(before: Arrival | undefined, count: number, now: number): Arrival {
  if (!before) return { count, at: now, now: count, last: now, since: null };
  const isStill = now - before.last > STILL;
  if (count > before.now) {
    return { ...before, now: count, last: now, since: isStill ? now : (before.since ?? now) };
  }
  return isStill ? { ...before, since: null } : before;
}
