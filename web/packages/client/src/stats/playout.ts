// Jitter buffer target of each received camera and its microphone. A packet that the publisher's
// uplink lost is retransmitted twice: to the server, then to each viewer. Browsers size the buffer
// for their own round trip only, so without a larger target each such loss shows as a freeze.
// (https://w3c.github.io/webrtc-extensions/#dom-rtcrtpreceiver-jitterbuffertarget)
import type { ParticipantId } from "../protocol.ts";
import type { RtcStatsReport } from "../rtc/rtc-stats.ts";
import type { Source } from "../rtc/source.ts";
import type { TrackOwners } from "./track-owners.ts";

/** Largest target: more delay would disturb a conversation. */
const MAX_TARGET_MS = 300;

/** Smallest target worth setting. */
const MIN_TARGET_MS = 60;

/** Minimum extra delay between two frames that webrtc-stats counts as a freeze. */
const FREEZE_THRESHOLD_MS = 150;

/** Margin for decoding, rendering and slightly later retransmissions. */
const MARGIN_MS = 30;

/** Two freezes within this time raise the target; a single one does not. */
const RECURRENCE_MS = 10_000;

/** Settling time after a change of the target, which may itself cause one freeze. */
const SETTLING_MS = 5_000;

/** Freeze-free time before the target is halved. It doubles with every increase of the target. */
const FIRST_HOLD_MS = 30_000;
const MAX_HOLD_MS = 480_000;

/** Counters of a received video; durations in seconds, as in webrtc-stats. */
export interface VideoCounters {
  readonly frames: number;
  readonly freezes: number;
  readonly freezeDuration: number;
  readonly nacks: number;
  readonly jitterBufferDelay: number;
  readonly jitterBufferEmitted: number;
}

/** State of one received video; times in milliseconds. */
export interface PlayoutState {
  readonly at: number;
  readonly counters: VideoCounters;
  /** Frames were emitted since the last measurement. */
  readonly isFlowing: boolean;
  /** Jitter buffer target; null leaves it to the browser. */
  readonly target: number | null;
  readonly changedAt: number;
  /** Time of the last freeze with packet loss. */
  readonly frozeAt: number;
  /** Freeze-free time required before the target is halved. */
  readonly hold: number;
}

/** The state at the first measurement. */
export function initialPlayout(counters: VideoCounters, at: number): PlayoutState {
  const never = Number.NEGATIVE_INFINITY;
  return {
    at,
    counters,
    isFlowing: false,
    target: null,
    changedAt: never,
    frozeAt: never,
    hold: FIRST_HOLD_MS / 2,
  };
}

/** The state after one more measurement. */
export function reducePlayout(
  before: PlayoutState,
  counters: VideoCounters,
  at: number,
): PlayoutState {
  const growth = (key: keyof VideoCounters) => Math.max(0, counters[key] - before.counters[key]);
  const now = { ...before, at, counters, isFlowing: growth("jitterBufferEmitted") > 0 };
  const freezes = growth("freezes");
  if (freezes === 0 || growth("nacks") === 0) return lowerTarget(now);
  if (at - before.changedAt < SETTLING_MS) return now;

  const froze = { ...now, frozeAt: at };
  if (freezes === 1 && at - before.frozeAt > RECURRENCE_MS) return froze;
  const freezeDuration = growth("freezeDuration");
  const seconds = (at - before.at) / 1000 - freezeDuration;
  const frameInterval = seconds / Math.max(1, growth("frames") - freezes);
  const late = freezeDuration / freezes - Math.max(0, frameInterval);
  const delay = growth("jitterBufferDelay") / Math.max(1, growth("jitterBufferEmitted"));
  const needed = Math.round((delay + late) * 1000) + MARGIN_MS;
  const target = Math.min(needed, MAX_TARGET_MS);
  // A target that can't prevent the freeze would only add delay.
  if (late < 0 || needed > MAX_TARGET_MS + FREEZE_THRESHOLD_MS) return froze;
  if (target <= (before.target ?? 0)) return froze;
  return { ...froze, target, changedAt: at, hold: Math.min(before.hold * 2, MAX_HOLD_MS) };
}

/** Halves the target after enough time without a freeze, since links also improve. */
function lowerTarget(now: PlayoutState): PlayoutState {
  const { at, target, changedAt, frozeAt, hold } = now;
  if (target === null || at - Math.max(changedAt, frozeAt) < hold) return now;
  const half = Math.round(target / 2);
  return { ...now, target: half < MIN_TARGET_MS ? null : half, changedAt: at };
}

interface PublisherPlayout {
  readonly publisher: ParticipantId;
  readonly state: PlayoutState;
}

/** Applies targets to the receivers of every link. */
export class Playout {
  readonly #playouts = new WeakMap<RTCRtpReceiver, PublisherPlayout>();

  /** Updates the targets of one link from its report. */
  update(peer: RTCPeerConnection, report: RtcStatsReport, owners: TrackOwners, at: number): void {
    const received = peer
      .getReceivers()
      .map((receiver) => ({ receiver, owner: owners.received(receiver.track.id) }));
    const targets = new Map<ParticipantId, number | null>();
    for (const { receiver, owner } of received) {
      if (owner?.source !== "camera") continue;
      const counters = videoCountersIn(report, receiver.track.id);
      if (!counters) continue;
      targets.set(owner.participant, this.#targetOf(receiver, owner.participant, counters, at));
    }
    for (const { receiver, owner } of received) {
      const target = owner && DELAYED.includes(owner.source) && targets.get(owner.participant);
      if (receiver.jitterBufferTarget !== (target || null)) {
        receiver.jitterBufferTarget = target || null;
      }
    }
  }

  /** The camera's target; null while no video flows, so that audio does not wait for it. */
  #targetOf(
    receiver: RTCRtpReceiver,
    publisher: ParticipantId,
    counters: VideoCounters,
    at: number,
  ): number | null {
    // The media server reassigns a section to another publisher, which starts over.
    const before = this.#playouts.get(receiver);
    const state =
      before?.publisher === publisher
        ? reducePlayout(before.state, counters, at)
        : initialPlayout(counters, at);
    this.#playouts.set(receiver, { publisher, state });
    return state.isFlowing ? state.target : null;
  }
}

/**
 * Sources delayed together. The browser would delay the audio by itself to keep lip sync, but would
 * go on after the video stopped.
 */
const DELAYED: readonly Source[] = ["camera", "microphone"];

function videoCountersIn(report: RtcStatsReport, trackId: string): VideoCounters | null {
  for (const entry of report.values()) {
    if (entry.type !== "inbound-rtp" || entry.trackIdentifier !== trackId) continue;
    return {
      frames: entry.framesDecoded ?? 0,
      freezes: entry.freezeCount ?? 0,
      freezeDuration: entry.totalFreezesDuration ?? 0,
      nacks: entry.nackCount ?? 0,
      jitterBufferDelay: entry.jitterBufferDelay ?? 0,
      jitterBufferEmitted: entry.jitterBufferEmittedCount ?? 0,
    };
  }
  return null;
}
