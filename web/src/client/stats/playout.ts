// How long a camera's picture, and the voice with it, is held before it is shown. What a publisher's
// line has lost and sent again comes late to everybody else, whose browsers expect a repeat to take
// their own round trip and no longer: without more patience each loss would be seen as a freeze.
// (https://w3c.github.io/webrtc-extensions/#dom-rtcrtpreceiver-jitterbuffertarget)
import type { ParticipantId } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";
import type { Owners } from "./statistics.ts";

/** Nobody is held longer, in milliseconds: people talk to each other. */
const MOST = 300;

/** A target below this is as good as none. */
const LEAST = 60;

/** What comes so much later than the picture before it is seen as a freeze (webrtc-stats). */
const SEEN = 150;

/** For decoding and drawing, and for repeats that take a little longer than those just now. */
const ALLOWANCE = 30;

/** A freeze by itself is no reason: there was one before within this time. */
const CLOSE = 10_000;

/** So long after a change a freeze may be the change itself: what was shown has to wait for once. */
const SETTLES = 5_000;

/** How long nothing has to freeze before half of it is tried; twice as long each time that was too little. */
const PATIENCE = { first: 30_000, longest: 480_000 };

/** What a browser has counted of a picture; times in seconds. */
export interface Counted {
  readonly frames: number;
  readonly freezes: number;
  readonly frozen: number;
  /** How often it was asked for what was lost. */
  readonly missed: number;
  /** How long frames were held, all of them together, and how many were. */
  readonly held: number;
  readonly emitted: number;
}

/** How it stands with one received picture; times in milliseconds. */
export interface Holding {
  readonly at: number;
  readonly counted: Counted;
  /** Something came since the look before: there is something to hold. */
  readonly isFlowing: boolean;
  /** How long the browser is to hold it; null is as it thinks fit. */
  readonly target: number | null;
  readonly changedAt: number;
  /** When it last froze for want of a repeat. */
  readonly frozeAt: number;
  /** How long it must not freeze before less is tried. */
  readonly patience: number;
}

/** A picture at the first look at it. */
export function firstLook(counted: Counted, at: number): Holding {
  const never = Number.NEGATIVE_INFINITY;
  const state = { target: null, changedAt: never, frozeAt: never, patience: PATIENCE.first / 2 };
  return { at, counted, isFlowing: false, ...state };
}

/** How it stands after one more look. */
export function afterLook(before: Holding, counted: Counted, at: number): Holding {
  const grown = (key: keyof Counted) => Math.max(0, counted[key] - before.counted[key]);
  const now = { ...before, at, counted, isFlowing: grown("emitted") > 0 };
  const freezes = grown("freezes");
  if (freezes === 0 || grown("missed") === 0) return afterCalm(now);
  if (at - before.changedAt < SETTLES) return now;

  const froze = { ...now, frozeAt: at };
  if (freezes === 1 && at - before.frozeAt > CLOSE) return froze;
  const frozen = grown("frozen");
  const interval = ((at - before.at) / 1000 - frozen) / Math.max(1, grown("frames") - freezes);
  const late = frozen / freezes - Math.max(0, interval);
  const present = grown("held") / Math.max(1, grown("emitted"));
  const needed = Math.round((present + late) * 1000) + ALLOWANCE;
  const target = Math.min(needed, MOST);
  // Of what holding does not cure there would be only the waiting.
  if (late < 0 || needed > MOST + SEEN || target <= (before.target ?? 0)) return froze;
  const patience = Math.min(before.patience * 2, PATIENCE.longest);
  return { ...froze, target, changedAt: at, patience };
}

/** Lines get better, too: now and then less is tried. */
function afterCalm(now: Holding): Holding {
  const { at, target, changedAt, frozeAt, patience } = now;
  if (target === null || at - Math.max(changedAt, frozeAt) < patience) return now;
  const less = Math.round(target / 2);
  return { ...now, target: less < LEAST ? null : less, changedAt: at };
}

/** Everybody who is received, over all links. */
export class Playout {
  readonly #holdings = new WeakMap<RTCRtpReceiver, { of: ParticipantId; holding: Holding }>();

  /** Has everybody on this link held as long as they need. */
  look(
    peer: RTCPeerConnection,
    report: Iterable<[string, unknown]>,
    owners: Owners,
    at: number,
  ): void {
    const received = peer
      .getReceivers()
      .map((receiver) => ({ receiver, owner: owners.received(receiver.track.id) }));
    const targets = new Map<ParticipantId, number | null>();
    for (const { receiver, owner } of received) {
      if (owner?.source !== "camera") continue;
      const counted = countedIn(report, receiver.track.id);
      if (counted) targets.set(owner.participant, this.#targetOf(receiver, owner, counted, at));
    }
    for (const { receiver, owner } of received) {
      const target = owner && HELD.includes(owner.source) && targets.get(owner.participant);
      if (receiver.jitterBufferTarget !== (target || null)) {
        receiver.jitterBufferTarget = target || null;
      }
    }
  }

  /** A picture that does not come is not waited for, nor is the voice for its sake. */
  #targetOf(
    receiver: RTCRtpReceiver,
    { participant: of }: { participant: ParticipantId },
    counted: Counted,
    at: number,
  ): number | null {
    // Sections of the media server go from one participant to the next.
    const before = this.#holdings.get(receiver);
    const isSame = before?.of === of;
    const holding = isSame ? afterLook(before.holding, counted, at) : firstLook(counted, at);
    this.#holdings.set(receiver, { of, holding });
    return holding.isFlowing ? holding.target : null;
  }
}

/** A voice left to itself would follow its picture, but go on waiting where that comes no more. */
const HELD: readonly Source[] = ["camera", "microphone"];

// biome-ignore lint/suspicious/noExplicitAny: TypeScript's own types lack half of what browsers tell.
type Entry = any;

/** What a browser does not count is none. */
function countedIn(report: Iterable<[string, unknown]>, trackId: string): Counted | null {
  for (const [, entry] of report as Iterable<[string, Entry]>) {
    if (entry.type !== "inbound-rtp" || entry.trackIdentifier !== trackId) continue;
    return {
      frames: entry.framesDecoded ?? 0,
      freezes: entry.freezeCount ?? 0,
      frozen: entry.totalFreezesDuration ?? 0,
      missed: entry.nackCount ?? 0,
      held: entry.jitterBufferDelay ?? 0,
      emitted: entry.jitterBufferEmittedCount ?? 0,
    };
  }
  return null;
}
