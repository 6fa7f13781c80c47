/** A test that the operator follows in a terminal: `moim doctor --phone`. */
import type { Attempt, Check } from "./facts.ts";
import { post } from "./judge.ts";

export interface Step {
  check: Check;
  outcome: Attempt;
  ms: number;
}

/** Reports steps under a one-time id. A report that fails does not disturb the test. */
export class Followed {
  readonly #probe: string;
  readonly #isFollowed: Promise<boolean>;
  readonly #signal: AbortSignal;
  readonly #reports: Promise<unknown>[] = [];

  /** Reports only if the server says at the `visit` that somebody follows. */
  constructor(probe: string, visit: Promise<{ followed: boolean }>, signal: AbortSignal) {
    this.#probe = probe;
    this.#isFollowed = visit.then(
      ({ followed }) => followed,
      () => false,
    );
    this.#signal = signal;
  }

  step({ check, outcome, ms }: Step): void {
    const body = { probe: this.#probe, check, outcome, ms: Math.round(ms) };
    const report = this.#isFollowed.then((isFollowed) =>
      isFollowed ? post("/api/doctor/step", body, this.#signal) : undefined,
    );
    this.#reports.push(report.catch(() => {}));
  }

  /** Waits for the reports; returns the id if somebody follows. */
  async reported(): Promise<string | undefined> {
    await Promise.all(this.#reports);
    return (await this.#isFollowed) ? this.#probe : undefined;
  }
}
