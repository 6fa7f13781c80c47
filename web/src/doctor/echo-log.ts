/**
 * Loss, delay and jitter of the path to the server, from messages that the probe peer echoes.
 *
 * An echo is the message, followed by the number of messages that have reached the server so far.
 */

export interface PathFacts {
  sent: number;
  arrived: number;
  returned: number;
  largeSent: number;
  largeReturned: number;
  rttMs: number;
  jitterMs: number;
}

/** Interval of small messages: 800 in 8 s tell 3 % of loss to within 1 %. */
export const SMALL_INTERVAL_MS = 10;
/** One message in so many is large. */
export const LARGE_EVERY = 20;

const SMALL_BYTES = 32;
/**
 * Makes datagrams as large as media's largest: RTP of 1,200 bytes with its tag, UDP and IPv4 is 1,244,
 * this with SCTP, DTLS, UDP and IPv4 1,243. Those of a handshake of DTLS have 1,228.
 */
const LARGE_BYTES = 1140;
/** Bytes of the number behind an echo. */
const COUNT_BYTES = 4;
/** Longest pause of the page's own thread (ms) for which a time is believed. */
const MAX_PAUSE_MS = 30;

/** Messages sent and returned. */
export interface EchoLog {
  readonly sentAt: number[];
  readonly returned: Set<number>;
  readonly rtts: number[];
  /** Messages that have reached the server, by the highest number. */
  reached: number;
  lastTick: number;
}

export function newEchoLog(): EchoLog {
  return { sentAt: [], returned: new Set(), rtts: [], reached: 0, lastTick: 0 };
}

/** The next message, sent at `now` (ms). */
export function nextMessage(log: EchoLog, now: number): Uint8Array<ArrayBuffer> {
  const index = log.sentAt.length;
  const bytes = new Uint8Array(isLarge(index) ? LARGE_BYTES : SMALL_BYTES);
  new DataView(bytes.buffer).setUint32(0, index);
  log.sentAt.push(now);
  log.lastTick = now;
  return bytes;
}

/** Takes an echo that arrived at `now` (ms). */
export function takeEcho(log: EchoLog, echo: ArrayBuffer, now: number): void {
  if (echo.byteLength < SMALL_BYTES + COUNT_BYTES) return;
  const view = new DataView(echo);
  const index = view.getUint32(0);
  const sentAt = log.sentAt[index];
  if (sentAt === undefined || log.returned.has(index)) return;
  log.returned.add(index);
  log.reached = Math.max(log.reached, view.getUint32(echo.byteLength - COUNT_BYTES));
  // Otherwise the time would include that for which the page was busy.
  if (now - log.lastTick <= MAX_PAUSE_MS) log.rtts.push(now - sentAt);
}

/** Returns whether every message has come back. */
export function isWhole(log: EchoLog): boolean {
  return log.returned.size === log.sentAt.length;
}

export function pathFacts({ sentAt, returned, rtts, reached }: EchoLog): PathFacts {
  const large = sentAt.filter((_, index) => isLarge(index)).length;
  const largeReturned = [...returned].filter(isLarge).length;
  const sent = sentAt.length - large;
  const smallReturned = returned.size - largeReturned;
  // The number counts both; large ones that did not return may have been lost on either way.
  const arrived = Math.max(smallReturned, Math.min(sent, reached - largeReturned));
  const sorted = [...rtts].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    sent,
    arrived,
    returned: smallReturned,
    largeSent: large,
    largeReturned,
    rttMs: median,
    jitterMs: quantile(sorted, 0.95) - median,
  };
}

function isLarge(index: number): boolean {
  return index % LARGE_EVERY === LARGE_EVERY - 1;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}
