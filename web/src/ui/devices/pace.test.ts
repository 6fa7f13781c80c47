import { expect, test } from "vitest";
import { isTooSlow, NO_PACE, reducePace } from "./pace.ts";

/** The answers to frames that take so long each, one after another. */
function answers(...frames: readonly number[]): boolean[] {
  let now = 0;
  let pace = NO_PACE;
  return frames.map((took) => {
    now += took;
    pace = reducePace(pace, { now, took });
    return isTooSlow(pace, now);
  });
}

const times = (count: number, took: number) => new Array<number>(count).fill(took);

test("a device that changes ten frames a second and more is fast enough", () => {
  expect(answers(...times(600, 99))).not.toContain(true);
});

test("a device that stays slower is too slow after seconds, not at once", () => {
  const slow = answers(...times(60, 250));
  expect(slow[20]).toBe(false);
  expect(slow.at(-1)).toBe(true);
});

test("a slow start and a busy moment say nothing", () => {
  expect(answers(2000, ...times(100, 30), 1500, ...times(100, 30))).not.toContain(true);
});

test("a device that has become faster is no longer too slow", () => {
  expect(answers(...times(60, 250), ...times(60, 30)).at(-1)).toBe(false);
});
