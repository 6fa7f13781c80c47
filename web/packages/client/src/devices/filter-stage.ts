// Between what is captured and what is sent: a filter that the page may put there.
import type { TrackFilter } from "../api.ts";

interface Running {
  readonly input: MediaStreamTrack;
  readonly filter: TrackFilter;
  /** Ends the filter; null until it runs. */
  stop: (() => void) | null;
}

export interface FilterStageOptions {
  /** Takes what is sent; null sends nothing. */
  readonly onOutput: (output: MediaStreamTrack | null) => void;
  /** Is told after each change whether the filter could not run. */
  readonly onFailed: (hasFailed: boolean) => void;
  /** What is sent until the filter runs, and if it can't run. */
  readonly sendsInput: boolean;
}

/** A filter that starts for an input that was replaced meanwhile is stopped on arrival. */
export class FilterStage {
  readonly #options: FilterStageOptions;
  #hasFailed = false;
  #input: MediaStreamTrack | null = null;
  #filter: TrackFilter | null = null;
  #running: Running | null = null;

  constructor(options: FilterStageOptions) {
    this.#options = options;
  }

  /** The filter, if its output is what is sent. */
  get running(): TrackFilter | null {
    return this.#running?.stop ? this.#running.filter : null;
  }

  setInput(input: MediaStreamTrack | null): void {
    if (input === this.#input) return;
    this.#input = input;
    this.#restart();
  }

  setFilter(filter: TrackFilter | null): void {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#restart();
  }

  #restart(): void {
    const before = this.#running;
    this.#running = null;
    const sendsInput = this.#filter === null || this.#options.sendsInput;
    this.#options.onOutput(sendsInput ? this.#input : null);
    before?.stop?.();
    if (this.#input && this.#filter) void this.#run(this.#input, this.#filter);
    // Otherwise the failure stands until the filter runs.
    else this.#setFailed(false);
  }

  async #run(input: MediaStreamTrack, filter: TrackFilter): Promise<void> {
    const running: Running = { input, filter, stop: null };
    this.#running = running;
    try {
      const { track, stop } = await filter(input);
      if (this.#running !== running) return stop();
      running.stop = stop;
      this.#options.onOutput(track);
      this.#setFailed(false);
    } catch {
      if (this.#running !== running) return;
      this.#running = null;
      this.#setFailed(true);
    }
  }

  #setFailed(hasFailed: boolean): void {
    if (hasFailed === this.#hasFailed) return;
    this.#hasFailed = hasFailed;
    this.#options.onFailed(hasFailed);
  }
}
