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
  /** How long each. */
  seconds?: number;
  nacks?: number;
}

/** A picture of 30 frames a second that its browser holds for 50 ms by itself. */
class Picture {
  counters: VideoCounters = {
    frames: 0,
    freezes: 0,
    freezeDuration: 0,
    nacks: 0,
    jitterBufferDelay: 0,
    jitterBufferEmitted: 0,
  };
  #state: PlayoutState = initialPlayout(this.counters, 0);

  /** Two seconds with so many freezes for want of so many packets. */
  look({ freezes = 0, seconds = 0.2, nacks = freezes }: Trouble = {}): number | null {
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

  /** The target after so long, each look alike. */
  after(milliseconds: number, trouble?: Trouble): number | null {
    for (let at = 0; at < milliseconds - INTERVAL; at += INTERVAL) this.look(trouble);
    return this.look(trouble);
  }
}

test("a picture that freezes for want of repeats is held until they come", () => {
  const picture = new Picture();
  expect(picture.look()).toBeNull();
  const target = picture.look({ freezes: 3 });
  // Held for 50 ms, and 200 ms after the frame before: a repeat came 167 ms too late.
  expect(target).toBeGreaterThan(217);
  expect(target).toBeLessThan(260);
  expect(picture.look({ nacks: 10 })).toBe(target);
});

test("nobody is held for so long as people would notice in talking", () => {
  expect(new Picture().look({ freezes: 2, seconds: 0.35 })).toBe(300);
});

test("what holding does not cure is not held", () => {
  const never = new Picture();
  expect(never.after(MINUTE, { freezes: 1, seconds: 0.9 })).toBeNull();
  const picture = new Picture();
  const target = picture.look({ freezes: 2 });
  expect(picture.after(6_000, { freezes: 1, seconds: 1 })).toBe(target);
});

test("a freeze now and then is no reason, and two soon after each other are", () => {
  const rarely = new Picture();
  for (let minute = 0; minute < 5; minute++) {
    expect(rarely.look({ freezes: 1 })).toBeNull();
    expect(rarely.after(10_000, { nacks: 1 })).toBeNull();
  }
  const often = new Picture();
  often.look({ freezes: 1 });
  often.look();
  expect(often.look({ freezes: 1 })).not.toBeNull();
});

test("a picture that stands still though nothing is nacks is not held", () => {
  expect(new Picture().after(MINUTE, { freezes: 3, nacks: 0 })).toBeNull();
});

test("that it has to wait once when it is to be held longer changes nothing", () => {
  const picture = new Picture();
  const target = picture.look({ freezes: 3 });
  expect(picture.look({ freezes: 1 })).toBe(target);
  picture.look();
  expect(picture.after(8_000, { freezes: 1 }), "but what freezes later does").toBe(300);
});

test("less is tried when nothing freezes any more, whatever is lost and repeated in time", () => {
  const picture = new Picture();
  const target = picture.look({ freezes: 3 });
  expect(picture.after(28_000, { nacks: 1 })).toBe(target);
  expect(picture.look({ nacks: 1 })).toBe(Math.round(Number(target) / 2));
  expect(picture.after(30_000, { nacks: 1 })).toBe(Math.round(Number(target) / 4));
  expect(picture.after(30_000, { nacks: 1 })).toBeNull();
});

test("where less was too little it is tried again later, and later each time", () => {
  const picture = new Picture();
  let longest = 0;
  for (let round = 0; round < 6; round++) {
    // What holds for less than 200 ms freezes twice soon after.
    let target = picture.look({ freezes: 2, seconds: 0.25 });
    for (let looks = 0; looks < 5 && (target ?? 0) < 200; looks++) {
      target = picture.look({ freezes: 2, seconds: 0.25 });
    }
    let held = 0;
    while ((picture.look({ nacks: 1 }) ?? 0) > 200) held += INTERVAL;
    expect(held).toBeGreaterThanOrEqual(Math.min(1.5 * longest, 400_000));
    longest = held;
  }
  expect(longest, "but it is tried").toBeLessThan(500_000);
});

/** A link that brings so many tracks, each of somebody's. */
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
    /** A look two seconds later; what each track counts. */
    look(counts: Record<string, object>) {
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

test("a voice waits with its picture, and for none that does not come", () => {
  const it = link({ picture: ["a", "camera"], voice: ["a", "microphone"], other: ["b", "camera"] });
  it.look({ picture: {}, voice: {}, other: {} });
  const [picture, voice, other] = it.look({ picture: TROUBLED, voice: {}, other: {} });
  expect(picture).toBeGreaterThan(200);
  expect([voice, other]).toEqual([picture, null]);
  const paused = it.look({ picture: TROUBLED, voice: {}, other: {} });
  expect(paused).toEqual([null, null, null]);
  const back = it.look({ picture: FLOWING, voice: {}, other: {} });
  expect(back).toEqual([picture, picture, null]);
});

test("a shared screen is not held: that it stands still is its nature", () => {
  const it = link({ screen: ["a", "screen"], voice: ["a", "microphone"] });
  it.look({ screen: {}, voice: {} });
  expect(it.look({ screen: TROUBLED, voice: {} })).toEqual([null, null]);
});

test("who comes next on a section is held as the browser thinks fit", () => {
  const it = link({ picture: ["a", "camera"], voice: ["a", "microphone"] });
  it.look({ picture: {}, voice: {} });
  expect(it.look({ picture: TROUBLED, voice: {} })).not.toContain(null);
  it.tracks.picture = ["b", "camera"];
  it.tracks.voice = ["b", "microphone"];
  expect(it.look({ picture: FLOWING, voice: {} })).toEqual([null, null]);
});
