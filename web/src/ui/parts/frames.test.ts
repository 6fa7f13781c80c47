import { expect, test } from "vitest";
import { reduceFrames, startFrames } from "./frames.ts";

const seen = (count: number, now: number, isHidden = false) => ({ count, now, isHidden });

test("a video waits for the first frame of its stream, whatever an earlier one had", () => {
  const started = startFrames(120, 0);
  expect(reduceFrames(started, seen(120, 9_000)).state).toBe("waiting");
  expect(reduceFrames(started, seen(121, 300)).state).toBe("playing");
});

test("a video without a frame for some seconds has stalled, until the next one", () => {
  const playing = reduceFrames(startFrames(0, 0), seen(1, 100));
  const slow = reduceFrames(playing, seen(1, 2_000));
  expect(slow.state).toBe("playing");
  const stalled = reduceFrames(slow, seen(1, 2_700));
  expect(stalled.state).toBe("stalled");
  expect(reduceFrames(stalled, seen(2, 2_800)).state).toBe("playing");
});

test("time in a hidden page does not count", () => {
  let frames = reduceFrames(startFrames(0, 0), seen(1, 100));
  frames = reduceFrames(frames, seen(1, 60_000, true));
  expect(reduceFrames(frames, seen(1, 61_000)).state).toBe("playing");
});
