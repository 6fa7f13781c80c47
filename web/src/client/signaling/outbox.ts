// What a call says to the server, kept until the server has it.
import type { Outcome, Payload, RequestName } from "./signaling.ts";

/** More than a call ever has under way; past it the oldest go, and a restarted link makes good. */
const KEPT = 2_000;

/** How long to hold back when told to be slower, in milliseconds. */
const SLOWER = 1_000;

/** The requests that a call makes as it goes on. */
export type Said = "signal" | "media" | "publish" | "subscribe" | "handover" | "direct" | "chat";

/** Of these the newest says all there is to say. */
const STATES: readonly Said[] = ["media", "subscribe", "direct"];

/** Hears what a request came to in the end. */
export type Done = (outcome: Outcome<unknown>) => void;
type Entry = { [E in Said]: { event: E; payload: Payload<E>; done?: Done } }[Said];

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

  /**
   * Says it now, or once the outbox opens. Of a held state only the last is kept. `done` hears what
   * it came to in the end; where the call ends before, it hears nothing.
   */
  say<E extends Said>(event: E, payload: Payload<E>, done?: Done): void {
    if (STATES.includes(event) && !this.#open) {
      this.#entries = this.#entries.filter((entry) => entry.event !== event);
    }
    if (this.#entries.length >= KEPT) this.#entries.shift();
    const entry = { event, payload, ...(done && { done }) } as Entry;
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
      entry.done?.(outcome);
    });
  }

  #later(): void {
    this.hold();
    this.#pause = setTimeout(() => this.open(), SLOWER);
  }
}
