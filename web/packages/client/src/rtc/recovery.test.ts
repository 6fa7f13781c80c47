import { expect, test } from "vitest";
import { countRestart, type LinkHealth, NEW_LINK, reduceHealth, restartDelay } from "./recovery.ts";

/** The health after these states and restarts (`!`). */
function through(...steps: (RTCPeerConnectionState | "!")[]): LinkHealth {
  return steps.reduce<LinkHealth>(
    (health, step) => (step === "!" ? countRestart(health) : reduceHealth(health, step)),
    NEW_LINK,
  );
}

test("a link connects, is lost and recovers", () => {
  expect(through("connecting").connection).toBe("connecting");
  expect(through("connecting", "connected").connection).toBe("connected");
  expect(through("connected", "disconnected").connection).toBe("reconnecting");
  expect(through("connected", "disconnected", "!", "connecting").connection).toBe("reconnecting");
  expect(through("connected", "failed", "!", "connected")).toEqual({
    connection: "connected",
    attempts: 0,
  });
});

test("a link that fails after two restarts counts as failed until it connects", () => {
  expect(through("failed", "!", "failed").connection).toBe("reconnecting");
  const failed = through("failed", "!", "failed", "!", "failed");
  expect(failed.connection).toBe("failed");
  expect(reduceHealth(countRestart(failed), "connecting").connection).toBe("failed");
  expect(reduceHealth(failed, "connected").connection).toBe("connected");
});

test("restarts are immediate on failure, delayed on disconnect, and back off", () => {
  expect(restartDelay(NEW_LINK, "connecting", false)).toBeNull();
  expect(restartDelay(NEW_LINK, "connected", false)).toBeNull();
  expect(restartDelay(NEW_LINK, "failed", false)).toBe(0);
  expect(restartDelay(NEW_LINK, "disconnected", false)).toBe(2_000);
  const delays = [1, 2, 3, 10].map((attempts) =>
    restartDelay({ connection: "reconnecting", attempts }, "connecting", false),
  );
  expect(delays).toEqual([8_000, 16_000, 30_000, 30_000]);
});

test("the polite end restarts later", () => {
  for (const state of ["failed", "disconnected"] as const) {
    expect(restartDelay(NEW_LINK, state, true)).toBeGreaterThan(
      restartDelay(NEW_LINK, state, false) ?? Number.POSITIVE_INFINITY,
    );
  }
});
