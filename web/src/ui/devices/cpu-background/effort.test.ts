import { expect, test } from "vitest";
import { type Effort, FIRST_EFFORT, isTooDear, reduceEffort, STEPS } from "./effort.ts";

/** The effort after some seconds of frames that take as long as `cost` says for a step. */
function after(seconds: number, cost: (step: number) => number, from = FIRST_EFFORT): Effort {
  let effort = from;
  for (let now = 0; now <= seconds * 1000; ) {
    effort = reduceEffort(effort, { now, took: cost(effort.step) });
    now += 1000 / (STEPS[effort.step]?.frameRate ?? 1);
  }
  return effort;
}

test("a fast machine comes to the best step", () => {
  expect(after(5, () => 5).step).toBe(FIRST_EFFORT.step);
  expect(after(40, () => 5).step).toBe(0);
});

test("a slower machine keeps to a step within its budget, and tries none twice", () => {
  // 12 ms a frame: 24 % of a core 20 times a second, 36 % 30 times.
  const seen = new Set<number>();
  let effort = FIRST_EFFORT;
  const cost = (step: number) => {
    seen.add(step);
    return 12;
  };
  effort = after(60, cost, effort);
  expect(effort.step).toBe(1);
  expect(seen.has(0)).toBe(false);
});

test("a machine whose better step turns out too dear goes back for good", () => {
  // The larger rate makes each frame slower, as on a processor that gets hot.
  const cost = (step: number) => (step <= 1 ? 20 : 11);
  const visits: number[] = [];
  const effort = after(120, (step) => {
    if (visits.at(-1) !== step) visits.push(step);
    return cost(step);
  });
  expect(visits).toEqual([2, 1, 2]);
  expect(effort.step).toBe(2);
});

test("a slow machine gets smaller pictures, and a busy moment changes nothing", () => {
  expect(after(10, (step) => (step < 3 ? 30 : 12)).step).toBe(3);
  let effort = after(5, () => 11);
  effort = reduceEffort(effort, { now: 5_100, took: 300 });
  expect(after(1, () => 11, effort).step).toBe(FIRST_EFFORT.step);
});

test("a machine too slow for the cheapest step is told so, not before", () => {
  const slow = after(30, () => 60);
  expect(slow.step).toBe(STEPS.length - 1);
  expect(isTooDear(slow, 30_000)).toBe(true);
  expect(
    isTooDear(
      after(5, () => 60),
      5_000,
    ),
  ).toBe(false);
  // 30 % of a core is much, and yet the picture is smooth.
  expect(
    isTooDear(
      after(30, () => 30),
      30_000,
    ),
  ).toBe(false);
});
