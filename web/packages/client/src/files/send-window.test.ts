import { expect, test } from "vitest";
import { MAX_WINDOW_BYTES, SendWindow } from "./send-window.ts";
import { CHUNK_BYTES } from "./wire.ts";

/** Acknowledges whole windows over a link of this capacity (bytes a millisecond). */
function run(window: SendWindow, from: number, rounds: number, base: number, capacity: number) {
  let now = from;
  let delay = base;
  for (let i = 0; i < rounds; i++) {
    // What exceeds the capacity over a round trip waits in a queue.
    delay = Math.max(base, window.bytes / capacity);
    now += delay;
    window.handleAck(now, window.bytes, delay);
  }
  return { now, delay };
}

test("the window grows fast on an idle link, and not without end", () => {
  const window = new SendWindow();
  run(window, 0, 20, 20, Number.POSITIVE_INFINITY);
  expect(window.bytes).toBe(MAX_WINDOW_BYTES);
});

test("the queue that a transfer builds stays below two tenths of a second", () => {
  const window = new SendWindow();
  // 8 Mbit/s, 30 ms.
  const capacity = 1_000;
  let { now, delay } = run(window, 0, 60, 30, capacity);
  for (let i = 0; i < 50; i++) {
    ({ now, delay } = run(window, now, 1, 30, capacity));
    expect(delay - 30).toBeLessThan(200);
  }
  expect(window.bytes).toBeGreaterThan(CHUNK_BYTES);
});

test("a link that becomes slow is left to the call", () => {
  const window = new SendWindow();
  const { now } = run(window, 0, 30, 20, 10_000);
  const before = window.bytes;
  run(window, now, 30, 20, 500);
  expect(window.bytes).toBeLessThan(before / 4);
});
