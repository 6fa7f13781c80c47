/** Loads something once: an attempt that fails is not kept, so the next call makes another. */
export class LoadOnce<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | null = null;
  #loaded: T | null = null;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Null until it is loaded. */
  get loaded(): T | null {
    return this.#loaded;
  }

  load(): Promise<T> {
    this.#loading ??= this.#attempt();
    return this.#loading;
  }

  async #attempt(): Promise<T> {
    try {
      this.#loaded = await this.#load();
      return this.#loaded;
    } catch (error) {
      this.#loading = null;
      throw error;
    }
  }
}
