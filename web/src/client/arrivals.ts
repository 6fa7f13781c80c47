// Whether a track has brought anything since it was first looked at. Sections are used again for
// others, whose counts go on from there; so what counts is more than at the first look.
import type { Counters } from "./counters.ts";

/** How often to look, in milliseconds, and when it takes long. */
const LOOKING = 100;
const LOOKING_LONG = 500;
const LONG = 10_000;

/** A voice that brings no packets for so long is taken for silent, in milliseconds. */
const SILENT = 2_000;

export interface ArrivalsOptions {
  /** Asks how much each track has brought, by the names that `hasCome` is asked with. */
  count: () => Promise<Counters>;
  /** It was looked again: what has come may have changed. */
  looked: () => void;
}

/** Looks while somebody waits for something, and costs nothing otherwise. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #first = new Map<string, { count: number; at: number }>();
  #counters: Counters = new Map();
  #since: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Whether the track has brought anything. `who` it is from tells one use of a section from the next. */
  hasCome(track: string, who: string, mayBeSilent: boolean): boolean {
    const count = this.#counters.get(track);
    if (count === undefined) return false;
    const key = `${track} ${who}`;
    const first = this.#first.get(key);
    if (!first) {
      this.#first.set(key, { count, at: performance.now() });
      return false;
    }
    return count > first.count || (mayBeSilent && performance.now() - first.at > SILENT);
  }

  lookWhile(waits: boolean): void {
    if (!waits) {
      clearTimeout(this.#timer);
      this.#since = null;
      this.#first.clear();
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
