import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lateness } from "./lateness.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Ten seconds of a page whose timers are late by this much, one after the other. */
async function share(lates: number[], hidden: (at: number) => boolean = () => false) {
  let [now, tick] = [0, 0];
  const lateness = new Lateness({ now: () => now, isHidden: () => hidden(now) });
  while (now < 10_000) {
    now += 500 + (lates[tick++ % lates.length] ?? 0);
    await vi.advanceTimersByTimeAsync(500);
  }
  const taken = lateness.take();
  lateness.close();
  return taken;
}

test("timers that are on time, or late by a little now and then, are a small share", async () => {
  expect(await share([0])).toBe(0);
  // Measured on a machine with ten times as much to do as it has processors.
  expect(
    await share([81, 0, 12, 0, 204, 10, 1, 8, 1, 8, 0, 27, 136, 47, 0, 11, 0, 422]),
  ).toBeLessThan(120);
});

test("timers of a browser with a fifth of a core are a large share", async () => {
  expect(
    await share([381, 1128, 1, 97, 407, 298, 87, 409, 404, 3, 85, 2, 1, 0, 1, 1, 494, 620]),
  ).toBeGreaterThan(300);
});

test("a computer that slept is not slow", async () => {
  expect(await share([0, 0, 0, 8_000])).toBeUndefined();
  const once = [...Array(10).fill(0), 60_000];
  expect(await share(once)).toBeLessThan(200);
});

test("a hidden page tells nothing, and one that was hidden for a while tells of the rest", async () => {
  expect(await share([500], () => true)).toBeUndefined();
  expect(await share([0], (at) => at > 6_000)).toBe(0);
});

test("each time is counted once", async () => {
  const lateness = new Lateness();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lateness.take()).toBe(0);
  expect(lateness.take()).toBeUndefined();
  lateness.close();
  expect(vi.getTimerCount()).toBe(0);
});
