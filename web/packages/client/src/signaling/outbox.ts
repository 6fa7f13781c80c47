// Requests of a call, kept until the server has acknowledged them.
import type { Outcome, Payload, RequestName } from "./signaling.ts";

/** More than a call ever has pending. Beyond it the oldest are dropped; an ICE restart recovers. */
const MAX_ENTRIES = 2_000;

/** Pause after the server answered `rate_limited`. */
const RATE_LIMIT_PAUSE_MS = 1_000;

/** The requests of an ongoing call. */
export type CallRequest =
  | "signal"
  | "media"
  | "publish"
  | "subscribe"
  | "handover"
  | "direct"
  | "chat"
  | "file:signal"
  | "file:withdraw"
  | "report";

/** Requests of which the newest supersedes all before. */
const LATEST_ONLY: readonly CallRequest[] = ["media", "subscribe", "direct", "report"];

/** Receives the final outcome of a request. */
export type Done = (outcome: Outcome<unknown>) => void;
type Entry = { [E in CallRequest]: { event: E; payload: Payload<E>; done?: Done } }[CallRequest];

type Transmit = <E extends RequestName>(
  event: E,
  payload: Payload<E>,
  done: (outcome: Outcome<unknown>) => void,
) => void;

/**
 * Delivers in order, at least once: requests without acknowledgement are sent again after the call
 * is resumed. Receivers tolerate duplicates.
 */
export class Outbox {
  readonly #transmit: Transmit;
  #entries: Entry[] = [];
  #open = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(transmit: Transmit) {
    this.#transmit = transmit;
  }

  /**
   * Sends now, or once the outbox opens. `done` receives the final outcome; it is not called if the
   * call ends before.
   */
  send<E extends CallRequest>(event: E, payload: Payload<E>, done?: Done): void {
    if (LATEST_ONLY.includes(event) && !this.#open) {
      this.#entries = this.#entries.filter((entry) => entry.event !== event);
    }
    if (this.#entries.length >= MAX_ENTRIES) this.#entries.shift();
    const entry = { event, payload, ...(done && { done }) } as Entry;
    this.#entries.push(entry);
    if (this.#open) this.#sendEntry(entry);
  }

  /** The call is joined or resumed: sends everything unacknowledged. */
  open(): void {
    this.hold();
    this.#open = true;
    for (const entry of [...this.#entries]) this.#sendEntry(entry);
  }

  /** The connection was lost: keeps requests from now on. */
  hold(): void {
    this.#open = false;
    clearTimeout(this.#pause);
  }

  /** Drops requests that have lost their meaning. */
  discard(matches: (event: CallRequest, payload: object) => boolean): void {
    this.#entries = this.#entries.filter(({ event, payload }) => !matches(event, payload));
  }

  /** Drops everything, as after joining as a new participant. */
  clear(): void {
    this.hold();
    this.#entries = [];
  }

  #sendEntry(entry: Entry): void {
    this.#transmit(entry.event, entry.payload, (outcome) => {
      if ("error" in outcome) {
        const { code } = outcome.error;
        if (code === "timeout" || code === "unreachable") return;
        if (code === "rate_limited") {
          if (this.#open) this.#openLater();
          return;
        }
      }
      this.#entries = this.#entries.filter((kept) => kept !== entry);
      entry.done?.(outcome);
    });
  }

  #openLater(): void {
    this.hold();
    this.#pause = setTimeout(() => this.open(), RATE_LIMIT_PAUSE_MS);
  }
}
