/** A value that changes, in the shape of React's `useSyncExternalStore`. */
export interface Readable<T> {
  /** The current value; the same object until it changes. */
  getSnapshot: () => T;
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe: (listener: () => void) => () => void;
}

/** Calls every listener. An exception is reported and does not stop the others. */
export function notify(listeners: Iterable<() => void>): void {
  for (const listener of [...listeners]) {
    try {
      listener();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** A writable `Readable`. Its methods are bound, so they can be passed as callbacks. */
export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  getSnapshot = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    // Wrapped, so that a function subscribed twice is two entries of the set.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  };

  /** Replaces the value; listeners are called only if it differs. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    notify(this.#listeners);
  }

  /** Replaces the value by `change(value)`. */
  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }
}
