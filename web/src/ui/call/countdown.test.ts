import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Countdown } from "./countdown.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a pause takes nothing of the time that is left", () => {
  const ended = vi.fn();
  const countdown = new Countdown(4_000, ended);
  countdown.run();
  vi.advanceTimersByTime(3_000);
  countdown.pause();
  vi.advanceTimersByTime(60_000);
  expect(ended).not.toHaveBeenCalled();
  countdown.run();
  vi.advanceTimersByTime(999);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledTimes(1);
});

test("it ends once, whatever is asked of it afterwards", () => {
  const ended = vi.fn();
  const countdown = new Countdown(10, ended);
  countdown.run();
  vi.advanceTimersByTime(10);
  countdown.run();
  countdown.pause();
  countdown.run();
  vi.advanceTimersByTime(100);
  expect(ended).toHaveBeenCalledTimes(1);
});
