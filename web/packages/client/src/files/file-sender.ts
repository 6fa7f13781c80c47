// One attempt to send a file over a data channel. Told of bytes and time, it says what to do: it
// knows neither files nor channels.
import { SendWindow } from "./send-window.ts";
import { BLOCK_BYTES, CHUNK_BYTES, parse, write } from "./wire.ts";

/** Without progress for this long, an attempt has failed; the recipient makes another one. */
export const STALL_MS = 20_000;
/** The browser's own buffer is kept below this. */
const MAX_BUFFERED_BYTES = 16 * CHUNK_BYTES;
/** At this fill of the browser's buffer there is more to send. */
export const LOW_BUFFERED_BYTES = 4 * CHUNK_BYTES;

export type SenderStep =
  /** Read this block, then call `handleBlock`. */
  | { do: "read"; block: number }
  | { do: "send"; bytes: Uint8Array }
  | { do: "say"; text: string }
  /** Compute the root of all blocks, then call `handleRoot`. */
  | { do: "seal" }
  /** The recipient has the file. */
  | { do: "finish" }
  | { do: "fail"; reason: SendFailure };

/** `protocol`: the other end said what no client says. */
export type SendFailure = "stalled" | "protocol" | "damaged";

type Phase = "new" | "sending" | "sealing" | "sealed" | "over";

export class FileSender {
  readonly #id: string;
  readonly #size: number;
  readonly #window = new SendWindow();
  #phase: Phase = "new";
  /** Position of the next byte to be sent. */
  #sent = 0;
  #acknowledged = 0;
  #isReading = false;
  /** The block that is being sent. */
  #block: { start: number; bytes: Uint8Array } | null = null;
  #buffered = 0;
  /** Ends of chunks on their way, and when they were sent. */
  #inFlight: { end: number; at: number }[] = [];
  #steps: SenderStep[] = [];
  #progressAt: number;

  constructor(id: string, size: number, now: number) {
    this.#id = id;
    this.#size = size;
    this.#progressAt = now;
  }

  /** Bytes that the recipient has. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The next thing to do; null if nothing is to be done until something happens. */
  poll(now: number): SenderStep | null {
    const step = this.#steps.shift();
    if (step) return step;
    if (this.#phase !== "sending") return null;
    if (this.#sent === this.#size) {
      this.#phase = "sealing";
      return { do: "seal" };
    }
    const start = this.#sent - (this.#sent % BLOCK_BYTES);
    if (this.#block?.start !== start) {
      if (this.#isReading) return null;
      this.#isReading = true;
      return { do: "read", block: start / BLOCK_BYTES };
    }
    const { bytes } = this.#block;
    const from = this.#sent - start;
    const chunk = bytes.subarray(from, from + CHUNK_BYTES);
    const isFull = this.#sent + chunk.length - this.#acknowledged > this.#window.bytes;
    if (isFull || this.#buffered >= MAX_BUFFERED_BYTES) return null;
    if (this.#inFlight.length === 0) this.#progressAt = now;
    this.#sent += chunk.length;
    this.#buffered += chunk.length;
    this.#inFlight.push({ end: this.#sent, at: now });
    return { do: "send", bytes: chunk };
  }

  /** The bytes of a block that was asked for. */
  handleBlock(block: number, bytes: Uint8Array): void {
    this.#isReading = false;
    this.#block = { start: block * BLOCK_BYTES, bytes };
  }

  handleRoot(root: string): void {
    if (this.#phase !== "sealing") return;
    this.#phase = "sealed";
    this.#steps.push({ do: "say", text: write({ root }) });
  }

  /** The bytes that wait in the browser's buffer of the channel. */
  handleBuffered(bytes: number): void {
    this.#buffered = bytes;
  }

  handleText(now: number, text: string): void {
    if (this.#phase === "over") return;
    const said = parse(text);
    if (said === null) return this.#fail("protocol");
    if ("get" in said) return this.#begin(now, said.get, said.from);
    if ("got" in said) return this.#acknowledge(now, said.got);
    if ("damaged" in said) return this.#fail("damaged");
    if ("done" in said && this.#phase === "sealed") {
      this.#acknowledged = this.#size;
      this.#phase = "over";
      this.#steps.push({ do: "finish" });
      return;
    }
    this.#fail("protocol");
  }

  handleTimeout(now: number): void {
    if (this.#phase === "over" || now < this.timeout) return;
    this.#fail("stalled");
  }

  /** Time of the next `handleTimeout`. */
  get timeout(): number {
    return this.#phase === "over" ? Number.POSITIVE_INFINITY : this.#progressAt + STALL_MS;
  }

  #begin(now: number, id: string, from: number): void {
    const isPlace = from <= this.#size && (from % BLOCK_BYTES === 0 || from === this.#size);
    if (this.#phase !== "new" || id !== this.#id || !isPlace) return this.#fail("protocol");
    this.#phase = "sending";
    this.#progressAt = now;
    this.#sent = from;
    this.#acknowledged = from;
  }

  #acknowledge(now: number, got: number): void {
    if (got > this.#sent || this.#phase === "new") return this.#fail("protocol");
    if (got <= this.#acknowledged) return;
    const bytes = got - this.#acknowledged;
    this.#acknowledged = got;
    this.#progressAt = now;
    let sentAt: number | null = null;
    while (this.#inFlight[0] && this.#inFlight[0].end <= got) {
      sentAt = this.#inFlight.shift()?.at ?? null;
    }
    if (sentAt !== null) this.#window.handleAck(now, bytes, now - sentAt);
  }

  #fail(reason: SendFailure): void {
    this.#phase = "over";
    this.#block = null;
    this.#steps = [{ do: "fail", reason }];
  }
}
