// How much of a file may be on its way. A file is not in a hurry, but the call is: the window shrinks
// as soon as packets begin to wait in a queue of the network, before any is lost (the idea of
// LEDBAT, RFC 6817).
import { CHUNK_BYTES } from "./wire.ts";

/** Delay that the transfer may add to the network's own. */
const TARGET_DELAY_MS = 100;
const MIN_BYTES = 8 * CHUNK_BYTES;
/** Enough for 300 Mbit/s over 100 ms; bounds what a recipient holds. */
export const MAX_WINDOW_BYTES = 4 << 20;
/** The lowest delay counts for this long, as routes change. */
const BASE_LIFETIME_MS = 60_000;

export class SendWindow {
  /** Small at first, so that the delay is learnt without a queue of its own. */
  #bytes = 4 * CHUNK_BYTES;
  #isStarting = true;
  #base = Number.POSITIVE_INFINITY;
  #nextBase = Number.POSITIVE_INFINITY;
  #baseSince = 0;
  #shrunkAt = Number.NEGATIVE_INFINITY;

  get bytes(): number {
    return this.#bytes;
  }

  /** `bytes` were acknowledged, the last of them `delay` after they were sent. */
  handleAck(now: number, bytes: number, delay: number): void {
    this.#learn(now, delay);
    if (delay - this.#base > TARGET_DELAY_MS) {
      this.#isStarting = false;
      // Once a round trip: the effect is seen no earlier.
      if (now - this.#shrunkAt < delay) return;
      this.#shrunkAt = now;
      this.#bytes = Math.max(MIN_BYTES, Math.floor(this.#bytes * 0.7));
      return;
    }
    // Doubles in each round trip at first, later grows by two chunks.
    const growth = this.#isStarting ? bytes : (2 * CHUNK_BYTES * bytes) / this.#bytes;
    this.#bytes = Math.min(MAX_WINDOW_BYTES, this.#bytes + growth);
  }

  #learn(now: number, delay: number): void {
    if (now - this.#baseSince > BASE_LIFETIME_MS) {
      this.#base = this.#nextBase;
      this.#nextBase = Number.POSITIVE_INFINITY;
      this.#baseSince = now;
    }
    this.#base = Math.min(this.#base, delay);
    this.#nextBase = Math.min(this.#nextBase, delay);
  }
}
