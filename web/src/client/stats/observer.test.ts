import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Observer } from "./observer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a link whose statistics fail keeps none of the others from being measured, nor later looks", async () => {
  let looks = 0;
  const broken = {
    getStats: () => {
      throw new DOMException("", "InvalidStateError");
    },
  } as unknown as RTCPeerConnection;
  const sound = {
    getStats: async () => {
      looks += 1;
      return new Map();
    },
    getReceivers: () => [],
  } as unknown as RTCPeerConnection;
  const judged = vi.fn();
  const observer = new Observer({
    lines: () => [
      ["a", broken],
      ["b", sound],
    ],
    owners: { received: () => null, own: () => null },
    self: () => "m",
    judged,
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toBeGreaterThan(2);
  expect(judged).toHaveBeenCalledTimes(looks);
  observer.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(judged).toHaveBeenCalledTimes(looks);
});
