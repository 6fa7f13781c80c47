// What two participants say on the data channel of a transfer, besides the bytes of the file
// (docs/protocol.md, "Files").

/** Label of the channel, which the recipient opens. */
export const CHANNEL_LABEL = "moim-file";

/** Unit of storing, of digests and of resuming. */
export const BLOCK_BYTES = 256 << 10;

/** Size of a message with bytes: browsers of all ages agree on it. */
export const CHUNK_BYTES = 16 << 10;

/** Longer texts are not from a client of this protocol. */
const MAX_TEXT_LENGTH = 512;

export type WireText =
  /** Recipient: send the file from this position on, a multiple of the block size. */
  | { get: string; from: number }
  /** Recipient: everything before this position has arrived. */
  | { got: number }
  /** Sender: that was all. SHA-256 over the SHA-256s of all blocks, in hex. */
  | { root: string }
  /** Recipient: stored and verified. */
  | { done: true }
  /** Recipient: what arrived is not what was sent. */
  | { damaged: true };

export function write(text: WireText): string {
  return JSON.stringify(text);
}

/** Parses what the other end sent; null for anything else. */
export function parse(text: string): WireText | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { get, from, got, root, done, damaged } = value as Record<string, unknown>;
  if (typeof get === "string" && isPosition(from)) return { get, from };
  if (isPosition(got)) return { got };
  if (typeof root === "string" && /^[0-9a-f]{64}$/.test(root)) return { root };
  if (done === true) return { done };
  if (damaged === true) return { damaged };
  return null;
}

function isPosition(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
