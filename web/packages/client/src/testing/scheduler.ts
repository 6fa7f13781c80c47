// A scheduler without time: tasks wait in lanes, and a seed determines which lane runs next.

const DEFAULT_LIMIT = 10_000;

/** Runs tasks one by one: in order within a lane, interleaved at random across lanes. */
export class Scheduler {
  readonly #lanes = new Map<string, (() => void)[]>();
  #random: number;

  constructor(seed: number) {
    this.#random = seed * 2_654_435_761 + 1;
  }

  /** Appends a task to a lane. */
  queue(lane: string, task: () => void): void {
    const tasks = this.#lanes.get(lane) ?? [];
    tasks.push(task);
    this.#lanes.set(lane, tasks);
  }

  /** Discards the tasks of all lanes with this prefix. */
  drop(prefix: string): void {
    for (const lane of this.#lanes.keys()) if (lane.startsWith(prefix)) this.#lanes.delete(lane);
  }

  /** Runs tasks until none is left, or `limit` have run. */
  async run(limit = DEFAULT_LIMIT): Promise<void> {
    await settled();
    for (let ran = 0; ran < limit; ran++) {
      const lanes = [...this.#lanes].filter(([, tasks]) => tasks.length > 0);
      const lane = lanes[this.below(lanes.length)];
      if (!lane) return;
      lane[1].shift()?.();
      await settled();
    }
    if (limit === DEFAULT_LIMIT) throw new Error("the tasks never end");
  }

  /** A random number from 0 to `end`, exclusive. */
  below(end: number): number {
    // xorshift32
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return end === 0 ? 0 : (this.#random >>> 0) % end;
  }
}

/** Runs the promise callbacks that are due. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
