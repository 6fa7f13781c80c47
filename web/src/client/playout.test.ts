import { expect, test } from "vitest";
import { afterLook, type Counted, firstLook, type Holding, Playout } from "./playout.ts";

const LOOK = 2_000;

/** A picture of 30 frames a second that its browser holds for 50 ms. */
class Picture {
  counted: Counted = { frames: 0, freezes: 0, frozen: 0, missed: 0, held: 0, emitted: 0 };
  #holding: Holding = firstLook(this.counted, 0);

  /** Two seconds with so many freezes of so many seconds, for want of so many packets. */
  look({
    freezes = 0,
    seconds = 0.3,
    missed = freezes,
    isReached = true,
  }: {
    freezes?: number;
    seconds?: number;
    missed?: number;
    isReached?: boolean;
  } = {}): number | null {
    const before = this.counted;
    const frames = Math.round((LOOK / 1000 - freezes * seconds) * 30) + freezes;
    const own = isReached ? Math.max(0.05, (this.#holding.target ?? 0) / 1000) : 0.1;
    this.counted = {
      frames: before.frames + frames,
      freezes: before.freezes + freezes,
      frozen: before.frozen + freezes * seconds,
      missed: before.missed + missed,
      held: before.held + frames * own,
      emitted: before.emitted + frames,
    };
    this.#holding = afterLook(this.#holding, this.counted, this.#holding.at + LOOK);
    return this.#holding.target;
  }
}

test("a picture that freezes for want of repeats is held until they come", () => {
  const picture = new Picture();
  expect(picture.look()).toBeNull();
  const target = picture.look({ freezes: 3, seconds: 0.2 });
  // Held for 50 ms, and 200 ms after the frame before: a repeat came 167 ms too late.
  expect(target).toBeGreaterThan(217);
  expect(target).toBeLessThan(250);
  expect(picture.look({ missed: 10 })).toBe(target);
});

test("no picture is held for as long as people would notice in talking", () => {
  expect(new Picture().look({ freezes: 2, seconds: 0.9 })).toBe(300);
});

test("what freezes before a browser holds it as long as it was told to changes nothing", () => {
  const picture = new Picture();
  const target = picture.look({ freezes: 3, seconds: 0.2 });
  expect(picture.look({ freezes: 3, seconds: 0.2, isReached: false })).toBe(target);
  expect(picture.look({ freezes: 1, seconds: 0.2 })).toBe(300);
});

test("a freeze now and then is no reason, and two soon after each other are", () => {
  const rarely = new Picture();
  for (let minute = 0; minute < 5; minute++) {
    expect(rarely.look({ freezes: 1 })).toBeNull();
    for (let looks = 0; looks < 5; looks++) expect(rarely.look({ missed: 1 })).toBeNull();
  }
  const often = new Picture();
  often.look({ freezes: 1 });
  often.look();
  expect(often.look({ freezes: 1 })).not.toBeNull();
});

test("a picture that stands still though nothing is missed is not held", () => {
  const picture = new Picture();
  for (let look = 0; look < 10; look++) {
    expect(picture.look({ freezes: 3, missed: 0 })).toBeNull();
  }
});

test("once nothing is missed for half a minute it is held no longer", () => {
  const picture = new Picture();
  const target = picture.look({ freezes: 3 });
  for (let look = 0; look < 30; look++) expect(picture.look({ missed: 1 })).toBe(target);
  for (let look = 0; look < 15; look++) expect(picture.look()).toBe(target);
  expect(picture.look()).toBeNull();
});

test("who comes next on a section is held as long as the browser likes, at first", () => {
  const receiver = { track: { id: "t" }, jitterBufferTarget: null as number | null };
  const peer = { getReceivers: () => [receiver] } as unknown as RTCPeerConnection;
  const playout = new Playout();
  const entry = { type: "inbound-rtp", kind: "video", trackIdentifier: "t" };
  const look = (participant: string, at: number, counts: object) =>
    playout.look(
      peer,
      [["in", { ...entry, ...counts }]],
      { received: () => ({ participant, source: "camera" }), own: () => null },
      at,
    );
  look("a", 0, { framesDecoded: 0 });
  const troubled = {
    framesDecoded: 50,
    freezeCount: 2,
    totalFreezesDuration: 0.6,
    nackCount: 9,
    jitterBufferDelay: 2.5,
    jitterBufferEmittedCount: 50,
  };
  look("a", 2_000, troubled);
  expect(receiver.jitterBufferTarget).toBeGreaterThan(200);
  look("b", 4_000, troubled);
  expect(receiver.jitterBufferTarget).toBeNull();
});
