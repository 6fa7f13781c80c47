import { expect, test } from "vitest";
import { FramePacer } from "./pacer.ts";

/** Frames let through of a second of a camera whose frames come up to 4 ms early or late. */
function taken(cameraRate: number, frameRate: number): number {
  const pacer = new FramePacer();
  let count = 0;
  for (let i = 0; i < cameraRate; i++) {
    const jitter = 4_000 * Math.sin(7 * i);
    if (pacer.takes((i * 1_000_000) / cameraRate + jitter, frameRate)) count++;
  }
  return count;
}

test("frames pass at the rate asked for, or at the camera's", () => {
  expect(taken(30, 30)).toBe(30);
  expect(taken(30, 20)).toBeGreaterThanOrEqual(19);
  expect(taken(30, 20)).toBeLessThanOrEqual(21);
  expect(taken(30, 15)).toBe(15);
  expect(taken(30, 10)).toBe(10);
  expect(taken(15, 30)).toBe(15);
});

test("frames pass after a pause, and after the clock jumped back", () => {
  const pacer = new FramePacer();
  expect(pacer.takes(0, 10)).toBe(true);
  expect(pacer.takes(50_000, 10)).toBe(false);
  expect(pacer.takes(60_000_000, 10)).toBe(true);
  expect(pacer.takes(60_050_000, 10)).toBe(false);
  expect(pacer.takes(1_000, 10)).toBe(true);
  expect(pacer.takes(51_000, 10)).toBe(false);
});
