// Between the captured microphone and what is sent: a filter that the page may put there.
import type { TrackFilter } from "../api.ts";

interface Running {
  readonly input: MediaStreamTrack;
  readonly filter: TrackFilter;
  /** Ends the filter; null until it runs. */
  stop: (() => void) | null;
}

/**
 * Sends the input until the filter runs, and if it can't run. A filter that starts for an input that
 * was replaced meanwhile is stopped on arrival.
 */
export class FilterStage {
  readonly #onOutput: (output: MediaStreamTrack | null) => void;
  readonly #onFailure: () => void;
  #input: MediaStreamTrack | null = null;
  #filter: TrackFilter | null = null;
  #running: Running | null = null;

  constructor(onOutput: (output: MediaStreamTrack | null) => void, onFailure: () => void) {
    this.#onOutput = onOutput;
    this.#onFailure = onFailure;
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
    this.#onOutput(this.#input);
    before?.stop?.();
    if (this.#input && this.#filter) void this.#run(this.#input, this.#filter);
  }

  async #run(input: MediaStreamTrack, filter: TrackFilter): Promise<void> {
    const running: Running = { input, filter, stop: null };
    this.#running = running;
    try {
      const { track, stop } = await filter(input);
      if (this.#running !== running) return stop();
      running.stop = stop;
      this.#onOutput(track);
    } catch {
      if (this.#running !== running) return;
      this.#running = null;
      this.#onFailure();
    }
  }
}
