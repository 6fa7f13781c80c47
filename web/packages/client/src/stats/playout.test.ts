import { expect, test } from "vitest";
import type { RtcStats } from "../rtc/rtc-stats.ts";
import type { Source } from "../rtc/source.ts";
import {
  initialPlayout,
  Playout,
  type PlayoutState,
  reducePlayout,
  type VideoCounters,
} from "./playout.ts";

const INTERVAL = 2_000;
const MINUTE = 60_000;

interface Trouble {
  freezes?: number;
  /** Duration of each. */
  seconds?: number;
  nacks?: number;
}

/** A video with 30 frames a second and a jitter buffer of 50 ms without a target. */
class Video {
  counters: VideoCounters = {
    frames: 0,
    freezes: 0,
    freezeDuration: 0,
    nacks: 0,
    jitterBufferDelay: 0,
    jitterBufferEmitted: 0,
  };
  #state: PlayoutState = initialPlayout(this.counters, 0);

  /** Two seconds with that many freezes and NACKs. */
  measure({ freezes = 0, seconds = 0.2, nacks = freezes }: Trouble = {}): number | null {
    const before = this.counters;
    const frames = Math.round((INTERVAL / 1000 - freezes * seconds) * 30) + freezes;
    this.counters = {
      frames: before.frames + frames,
      freezes: before.freezes + freezes,
      freezeDuration: before.freezeDuration + freezes * seconds,
      nacks: before.nacks + nacks,
      jitterBufferDelay:
        before.jitterBufferDelay + (frames * Math.max(50, this.#state.target ?? 0)) / 1000,
      jitterBufferEmitted: before.jitterBufferEmitted + frames,
    };
    this.#state = reducePlayout(this.#state, this.counters, this.#state.at + INTERVAL);
    return this.#state.target;
  }

  /** The target after that time, with the same trouble in each interval. */
  after(milliseconds: number, trouble?: Trouble): number | null {
    for (let at = 0; at < milliseconds - INTERVAL; at += INTERVAL) this.measure(trouble);
    return this.measure(trouble);
  }
}

test("video that freezes with packet loss gets a target that covers the retransmissions", () => {
  const video = new Video();
  expect(video.measure()).toBeNull();
  const target = video.measure({ freezes: 3 });
  // 50 ms of buffer, and a frame 200 ms after the last: the retransmission was 167 ms late.
  expect(target).toBeGreaterThan(217);
  expect(target).toBeLessThan(260);
  expect(video.measure({ nacks: 10 })).toBe(target);
});

test("the target is bounded, as a longer delay would disturb a conversation", () => {
  expect(new Video().measure({ freezes: 2, seconds: 0.35 })).toBe(300);
});

test("a freeze that no target can prevent does not raise it", () => {
  const never = new Video();
  expect(never.after(MINUTE, { freezes: 1, seconds: 0.9 })).toBeNull();
  const video = new Video();
  const target = video.measure({ freezes: 2 });
  expect(video.after(6_000, { freezes: 1, seconds: 1 })).toBe(target);
});

test("rare freezes do not set a target, two in close succession do", () => {
  const rarely = new Video();
  for (let minute = 0; minute < 5; minute++) {
    expect(rarely.measure({ freezes: 1 })).toBeNull();
    expect(rarely.after(10_000, { nacks: 1 })).toBeNull();
  }
  const often = new Video();
  often.measure({ freezes: 1 });
  often.measure();
  expect(often.measure({ freezes: 1 })).not.toBeNull();
});

test("freezes without packet loss do not set a target", () => {
  expect(new Video().after(MINUTE, { freezes: 3, nacks: 0 })).toBeNull();
});

test("a freeze right after a change of the target does not raise it again", () => {
  const video = new Video();
  const target = video.measure({ freezes: 3 });
  expect(video.measure({ freezes: 1 })).toBe(target);
  video.measure();
  expect(video.after(8_000, { freezes: 1 }), "a later freeze raises it").toBe(300);
});

test("the target is halved after enough time without a freeze", () => {
  const video = new Video();
  const target = video.measure({ freezes: 3 });
  expect(video.after(28_000, { nacks: 1 })).toBe(target);
  expect(video.measure({ nacks: 1 })).toBe(Math.round(Number(target) / 2));
  expect(video.after(30_000, { nacks: 1 })).toBe(Math.round(Number(target) / 4));
  expect(video.after(30_000, { nacks: 1 })).toBeNull();
});

test("each failed reduction doubles the time until the next one", () => {
  const video = new Video();
  let longest = 0;
  for (let round = 0; round < 6; round++) {
    // Any target below 200 ms leads to two freezes.
    let target = video.measure({ freezes: 2, seconds: 0.25 });
    for (let n = 0; n < 5 && (target ?? 0) < 200; n++) {
      target = video.measure({ freezes: 2, seconds: 0.25 });
    }
    let reducedAfter = 0;
    while ((video.measure({ nacks: 1 }) ?? 0) > 200) reducedAfter += INTERVAL;
    expect(reducedAfter).toBeGreaterThanOrEqual(Math.min(1.5 * longest, 400_000));
    longest = reducedAfter;
  }
  expect(longest, "the target is still reduced").toBeLessThan(500_000);
});

/** A link that receives these tracks. */
function link(tracks: Record<string, [participant: string, source: Source]>) {
  const receivers = Object.keys(tracks).map((id) => ({
    track: { id },
    jitterBufferTarget: null as number | null,
  }));
  const playout = new Playout();
  const owners = {
    received: (id: string) => {
      const [participant, source] = tracks[id] ?? [];
      return participant && source ? { participant, source } : null;
    },
    local: () => null,
  };
  let at = 0;
  return {
    tracks,
    /** Targets after one more interval, with the counters of each track. */
    measure(counts: Record<string, object>) {
      const report = new Map(
        Object.entries(counts).map(([id, count]): [string, RtcStats] => [
          `in ${id}`,
          { type: "inbound-rtp", kind: "video", trackIdentifier: id, ...count },
        ]),
      );
      at += INTERVAL;
      const peer = { getReceivers: () => receivers } as unknown as RTCPeerConnection;
      playout.update(peer, report, owners, at);
      return receivers.map(({ jitterBufferTarget }) => jitterBufferTarget);
    },
  };
}

const TROUBLED = {
  framesDecoded: 50,
  freezeCount: 2,
  totalFreezesDuration: 0.5,
  nackCount: 9,
  jitterBufferDelay: 2.5,
  jitterBufferEmittedCount: 50,
};
const FLOWING = { ...TROUBLED, framesDecoded: 100, jitterBufferEmittedCount: 100 };

test("audio is delayed with its camera, and not while the camera is paused", () => {
  const received = link({
    camera: ["a", "camera"],
    audio: ["a", "microphone"],
    other: ["b", "camera"],
  });
  received.measure({ camera: {}, audio: {}, other: {} });
  const [camera, audio, other] = received.measure({ camera: TROUBLED, audio: {}, other: {} });
  expect(camera).toBeGreaterThan(200);
  expect([audio, other]).toEqual([camera, null]);
  const paused = received.measure({ camera: TROUBLED, audio: {}, other: {} });
  expect(paused).toEqual([null, null, null]);
  const back = received.measure({ camera: FLOWING, audio: {}, other: {} });
  expect(back).toEqual([camera, camera, null]);
});

test("a shared screen gets no target, as it may stand still", () => {
  const received = link({ screen: ["a", "screen"], audio: ["a", "microphone"] });
  received.measure({ screen: {}, audio: {} });
  expect(received.measure({ screen: TROUBLED, audio: {} })).toEqual([null, null]);
});

test("the next publisher on a section starts without a target", () => {
  const received = link({ camera: ["a", "camera"], audio: ["a", "microphone"] });
  received.measure({ camera: {}, audio: {} });
  expect(received.measure({ camera: TROUBLED, audio: {} })).not.toContain(null);
  received.tracks.camera = ["b", "camera"];
  received.tracks.audio = ["b", "microphone"];
  expect(received.measure({ camera: FLOWING, audio: {} })).toEqual([null, null]);
});
