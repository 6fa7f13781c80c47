// A small world without time: tasks wait in lanes, and a seed decides which lane goes next.

/** Runs tasks one by one: in order within a lane, in an order drawn from the seed across lanes. */
export class Scheduler {
  readonly #lanes = new Map<string, (() => void)[]>();
  #random: number;

  constructor(seed: number) {
    this.#random = seed * 2_654_435_761 + 1;
  }

  /** Puts a task at the end of a lane. */
  queue(lane: string, task: () => void): void {
    const tasks = this.#lanes.get(lane) ?? [];
    tasks.push(task);
    this.#lanes.set(lane, tasks);
  }

  /** Forgets what waits in the lanes whose name begins so. */
  drop(prefix: string): void {
    for (const lane of this.#lanes.keys()) if (lane.startsWith(prefix)) this.#lanes.delete(lane);
  }

  /** Runs tasks until none is left, or `most` have run. */
  async run(most = 10_000): Promise<void> {
    await settled();
    for (let ran = 0; ran < most; ran++) {
      const lanes = [...this.#lanes].filter(([, tasks]) => tasks.length > 0);
      const lane = lanes[this.below(lanes.length)];
      if (!lane) return;
      lane[1].shift()?.();
      await settled();
    }
    if (most === 10_000) throw new Error("the world does not come to rest");
  }

  /** A number from 0 up to, without, `end`. */
  below(end: number): number {
    // xorshift32
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return end === 0 ? 0 : (this.#random >>> 0) % end;
  }
}

/** Lets promise callbacks run that are due. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
