import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StatsObserver } from "./observer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a link whose statistics fail does not stop other links or later polls", async () => {
  let polls = 0;
  const broken = {
    getStats: () => {
      throw new DOMException("", "InvalidStateError");
    },
  } as unknown as RTCPeerConnection;
  const working = {
    getStats: async () => {
      polls += 1;
      return new Map();
    },
    getReceivers: () => [],
  } as unknown as RTCPeerConnection;
  const onQualities = vi.fn();
  const observer = new StatsObserver({
    connections: () => [
      { to: "a", peer: broken },
      { to: "b", peer: working },
    ],
    owners: { received: () => null, local: () => null },
    self: () => "m",
    onQualities,
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(polls).toBeGreaterThan(2);
  expect(onQualities).toHaveBeenCalledTimes(polls);
  observer.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(onQualities).toHaveBeenCalledTimes(polls);
});
