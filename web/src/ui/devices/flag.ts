import type { Readable } from "moim-client";

/** A boolean that components subscribe to. */
export class Flag implements Readable<boolean> {
  #isSet = false;
  readonly #listeners = new Set<() => void>();

  getSnapshot = (): boolean => this.#isSet;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  set(isSet: boolean): void {
    if (isSet === this.#isSet) return;
    this.#isSet = isSet;
    for (const listener of this.#listeners) listener();
  }
}
