/** Runs asynchronous tasks one after the other, in the order of `run`. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Resolves once the task is finished. A failed task does not stop those after it. */
  run(task: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(task, task);
    return this.#last;
  }
}
