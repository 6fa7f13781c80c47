// One attempt to receive a file over a data channel, from where an earlier one ended. Told of bytes
// and time, it says what to do: it knows neither storage nor channels.
import { STALL_MS } from "./file-sender.ts";
import { BLOCK_BYTES, CHUNK_BYTES, parse, write } from "./wire.ts";

/** Acknowledges at least this often. */
const ACK_BYTES = 4 * CHUNK_BYTES;
/** With more blocks waiting for the storage, the sender has to wait, too. */
const MAX_STORING = 4;

export type ReceiverStep =
  | { do: "say"; text: string }
  /** Store a block at this position, then call `handleStored`. */
  | { do: "store"; at: number; bytes: Uint8Array }
  /** Compare the root of what is stored, then call `handleVerified`. */
  | { do: "verify"; root: string }
  /** The file is whole. */
  | { do: "finish" }
  | { do: "fail"; reason: ReceiveFailure };

/** `protocol`: the other end said what no client says. */
export type ReceiveFailure = "stalled" | "protocol" | "damaged";

export class FileReceiver {
  readonly #id: string;
  readonly #size: number;
  /** Position of the next byte to arrive. */
  #arrived: number;
  #stored: number;
  #acknowledged: number;
  #storing = 0;
  #block: Uint8Array<ArrayBuffer> | null = null;
  #root: string | null = null;
  #isVerifying = false;
  #isOver = false;
  #steps: ReceiverStep[] = [];
  #progressAt: number;

  /** `stored` bytes are there already: whole blocks. */
  constructor(id: string, size: number, stored: number, now: number) {
    this.#id = id;
    this.#size = size;
    this.#arrived = stored;
    this.#stored = stored;
    this.#acknowledged = stored;
    this.#progressAt = now;
  }

  /** Bytes that have arrived. */
  get arrived(): number {
    return this.#arrived;
  }

  poll(): ReceiverStep | null {
    return this.#steps.shift() ?? null;
  }

  /** The channel is open. */
  handleOpen(now: number): void {
    this.#progressAt = now;
    this.#steps.push({ do: "say", text: write({ get: this.#id, from: this.#arrived }) });
  }

  handleBytes(now: number, bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (bytes.length === 0 || this.#arrived + bytes.length > this.#size) {
      return this.#fail("protocol");
    }
    this.#progressAt = now;
    for (let from = 0; from < bytes.length; ) from += this.#take(bytes.subarray(from));
    this.#acknowledge();
  }

  /** The oldest block that was not stored yet is stored. */
  handleStored(): void {
    this.#storing -= 1;
    this.#stored = Math.min(this.#size, this.#stored + BLOCK_BYTES);
    this.#acknowledge();
    this.#verify();
  }

  handleVerified(isSame: boolean): void {
    if (this.#isOver) return;
    if (!isSame) {
      this.#fail("damaged");
      this.#steps.unshift({ do: "say", text: write({ damaged: true }) });
      return;
    }
    this.#isOver = true;
    this.#steps.push({ do: "say", text: write({ done: true }) }, { do: "finish" });
  }

  handleText(now: number, text: string): void {
    if (this.#isOver) return;
    const said = parse(text);
    if (said === null || !("root" in said) || this.#root !== null) return this.#fail("protocol");
    // It comes after the last byte.
    if (this.#arrived !== this.#size) return this.#fail("protocol");
    this.#progressAt = now;
    this.#root = said.root;
    this.#verify();
  }

  handleTimeout(now: number): void {
    if (this.#isOver || now < this.timeout) return;
    this.#fail("stalled");
  }

  /** Time of the next `handleTimeout`. */
  get timeout(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.#progressAt + STALL_MS;
  }

  /** Takes bytes into the current block; returns how many. */
  #take(bytes: Uint8Array): number {
    const at = this.#arrived % BLOCK_BYTES;
    const start = this.#arrived - at;
    const length = Math.min(BLOCK_BYTES, this.#size - start);
    this.#block ??= new Uint8Array(length);
    const part = bytes.subarray(0, length - at);
    this.#block.set(part, at);
    this.#arrived += part.length;
    if (at + part.length === length) {
      this.#storing += 1;
      this.#steps.push({ do: "store", at: start, bytes: this.#block });
      this.#block = null;
    }
    return part.length;
  }

  #acknowledge(): void {
    if (this.#isOver || this.#storing > MAX_STORING) return;
    const isDue = this.#arrived - this.#acknowledged >= ACK_BYTES || this.#arrived === this.#size;
    if (!isDue || this.#arrived === this.#acknowledged) return;
    this.#acknowledged = this.#arrived;
    this.#steps.push({ do: "say", text: write({ got: this.#arrived }) });
  }

  #verify(): void {
    if (this.#root === null || this.#isVerifying || this.#isOver) return;
    if (this.#stored !== this.#size) return;
    this.#isVerifying = true;
    this.#steps.push({ do: "verify", root: this.#root });
  }

  #fail(reason: ReceiveFailure): void {
    this.#isOver = true;
    this.#block = null;
    // What has arrived whole is stored.
    this.#steps = this.#steps.filter((step) => step.do === "store");
    this.#steps.push({ do: "fail", reason });
  }
}
