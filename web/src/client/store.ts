/** A value that changes, in the shape of React's `useSyncExternalStore`. */
export interface Readable<T> {
  /** The value now; the same object until it changes. */
  getSnapshot: () => T;
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe: (listener: () => void) => () => void;
}

/** Calls each; one that throws is reported, and the others are called all the same. */
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

/** A `Readable` with the hand that changes it. Its methods are bound, so they can be passed on. */
export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  getSnapshot = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    // Wrapped, so that one function subscribed twice is told twice and leaves once.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  };

  /** Replaces the value; nobody is told where it is the same. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    notify(this.#listeners);
  }

  /** Replaces the value by what `change` makes of it. */
  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }
}
