// How long pictures are held before they are shown. What a publisher's line has lost and sent again
// comes late to everybody else, whose browsers expect a repeat to take their own round trip and no
// longer: without more patience each loss would be seen as a freeze.
// (https://w3c.github.io/webrtc-extensions/#dom-rtcrtpreceiver-jitterbuffertarget)
import type { Owners } from "./statistics.ts";

/** No picture is held longer, in milliseconds: sound goes with it, and people talk to each other. */
const MOST = 300;

/** So much longer than what came late just now would have needed. */
const MARGIN = 1.1;

/** A target as good as reached. */
const NEARLY = 0.9;

/** A freeze by itself is no reason: there was one before within this time, in milliseconds. */
const CLOSE = 10_000;

/** Nothing is held any more when nothing was missed for so long, in milliseconds. */
const CALM = 30_000;

/** What a browser has counted of a picture; times in seconds. */
export interface Counted {
  readonly frames: number;
  readonly freezes: number;
  readonly frozen: number;
  /** How often a packet was asked for again. */
  readonly missed: number;
  /** How long frames were held, all of them together, and how many were. */
  readonly held: number;
  readonly emitted: number;
}

/** How it stands with one received picture; times in milliseconds. */
export interface Holding {
  readonly at: number;
  readonly counted: Counted;
  /** How long the browser is told to hold it; null is as it thinks fit. */
  readonly target: number | null;
  /** When it last froze for want of a repeat. */
  readonly frozeAt: number;
  readonly missedAt: number;
}

/** A picture at the first look at it. */
export function firstLook(counted: Counted, at: number): Holding {
  return {
    at,
    counted,
    target: null,
    frozeAt: Number.NEGATIVE_INFINITY,
    missedAt: Number.NEGATIVE_INFINITY,
  };
}

/** How it stands after one more look. */
export function afterLook(before: Holding, counted: Counted, at: number): Holding {
  const grown = (key: keyof Counted) => Math.max(0, counted[key] - before.counted[key]);
  const missedAt = grown("missed") > 0 ? at : before.missedAt;
  const now = { ...before, at, counted, missedAt };
  if (at - missedAt > CALM) return { ...now, target: null };
  const freezes = grown("freezes");
  if (freezes === 0 || missedAt !== at) return now;
  const isAgain = freezes > 1 || at - before.frozeAt < CLOSE;
  if (!isAgain) return { ...now, frozeAt: at };
  const flowing = (at - before.at) / 1000 - grown("frozen");
  const present = grown("held") / Math.max(1, grown("emitted"));
  // Browsers take seconds until they hold it for so long: what froze meanwhile says nothing new.
  if (present * 1000 < NEARLY * (before.target ?? 0)) return { ...now, frozeAt: at };
  const late = grown("frozen") / freezes - flowing / Math.max(1, grown("frames") - freezes);
  const needed = Math.round((present + late) * MARGIN * 1000);
  const target = Math.min(MOST, Math.max(before.target ?? 0, needed));
  return { ...now, frozeAt: at, target };
}

/** The received pictures of all links. */
export class Playout {
  readonly #holdings = new WeakMap<RTCRtpReceiver, { of: string; holding: Holding }>();

  /** Has each picture held as long as it needs. */
  look(
    peer: RTCPeerConnection,
    report: Iterable<[string, unknown]>,
    owners: Owners,
    at: number,
  ): void {
    const receivers = new Map(peer.getReceivers().map((it) => [it.track.id, it]));
    for (const [, entry] of report as Iterable<[string, Entry]>) {
      const receiver = receivers.get(entry.trackIdentifier);
      if (entry.type !== "inbound-rtp" || entry.kind !== "video" || !receiver) continue;
      const owner = owners.received(entry.trackIdentifier);
      // Sections of the media server go from one participant to the next.
      const of = owner ? `${owner.participant} ${owner.source}` : "";
      const before = this.#holdings.get(receiver);
      const counted = countedIn(entry);
      const holding =
        before?.of === of ? afterLook(before.holding, counted, at) : firstLook(counted, at);
      this.#holdings.set(receiver, { of, holding });
      if (before && before.holding.target !== holding.target) {
        receiver.jitterBufferTarget = holding.target;
      }
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: TypeScript's own types lack half of what browsers tell.
type Entry = any;

/** What a browser does not count is none. */
function countedIn(entry: Entry): Counted {
  return {
    frames: entry.framesDecoded ?? 0,
    freezes: entry.freezeCount ?? 0,
    frozen: entry.totalFreezesDuration ?? 0,
    missed: entry.nackCount ?? 0,
    held: entry.jitterBufferDelay ?? 0,
    emitted: entry.jitterBufferEmittedCount ?? 0,
  };
}
