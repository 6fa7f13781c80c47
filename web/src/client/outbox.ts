// What a call says to the server, kept until the server has it.
import type { Outcome, Payload, RequestName } from "./signaling.ts";

/** More than a call ever has under way; past it the oldest go, and a restarted link makes good. */
const KEPT = 2_000;

/** How long to hold back when told to be slower, in milliseconds. */
const SLOWER = 1_000;

type Said = "signal" | "media";
type Entry = { [E in Said]: { event: E; payload: Payload<E> } }[Said];

type Send = <E extends RequestName>(
  event: E,
  payload: Payload<E>,
  done: (outcome: Outcome<unknown>) => void,
) => void;

/**
 * Sends in order, at least once: what was not acknowledged when the connection dropped is sent
 * again after the call is resumed. Receivers bear duplicates.
 */
export class Outbox {
  readonly #send: Send;
  #entries: Entry[] = [];
  #open = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Says it now, or once the outbox opens. Of held media states only the last is kept. */
  say<E extends Said>(event: E, payload: Payload<E>): void {
    if (event === "media" && !this.#open) {
      this.#entries = this.#entries.filter((entry) => entry.event !== "media");
    }
    if (this.#entries.length >= KEPT) this.#entries.shift();
    const entry = { event, payload } as Entry;
    this.#entries.push(entry);
    if (this.#open) this.#transmit(entry);
  }

  /** The server listens (again): everything unacknowledged is sent. */
  open(): void {
    this.hold();
    this.#open = true;
    for (const entry of [...this.#entries]) this.#transmit(entry);
  }

  /** The connection dropped: keeps what is said from now on. */
  hold(): void {
    this.#open = false;
    clearTimeout(this.#pause);
  }

  /** Forgets everything, as after joining anew. */
  clear(): void {
    this.hold();
    this.#entries = [];
  }

  #transmit(entry: Entry): void {
    this.#send(entry.event, entry.payload, (outcome) => {
      if ("error" in outcome) {
        const { code } = outcome.error;
        if (code === "timeout" || code === "unreachable") return;
        if (code === "rate_limited") {
          if (this.#open) this.#later();
          return;
        }
      }
      this.#entries = this.#entries.filter((kept) => kept !== entry);
    });
  }

  #later(): void {
    this.hold();
    this.#pause = setTimeout(() => this.open(), SLOWER);
  }
}
