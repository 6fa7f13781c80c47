import { expect, test } from "vitest";
import { reduceSfu, type SfuEvent, type SfuState, sfuTimeout } from "./sfu-state.ts";

const through = (...events: SfuEvent[]) => events.reduce<SfuState>(reduceSfu, "idle");

test("a link connects, is lost and is restored", () => {
  expect(through("opened")).toBe("connecting");
  expect(through("opened", "disconnected")).toBe("connecting");
  expect(through("opened", "connected")).toBe("up");
  expect(through("opened", "connected", "disconnected")).toBe("lost");
  expect(through("opened", "connected", "disconnected", "connected")).toBe("up");
  expect(through("opened", "connected", "closed")).toBe("idle");
});

test("a link that was given up stays so when it is closed, until it is opened again", () => {
  expect(through("opened", "gave up", "closed")).toBe("given up");
  expect(through("opened", "gave up", "closed", "opened")).toBe("connecting");
  expect(through("opened", "closed")).toBe("idle");
});

test("a late connection ends the state given up", () => {
  expect(through("opened", "gave up", "connected")).toBe("up");
});

test("a timeout runs unless the link is idle or up", () => {
  const next = (["idle", "connecting", "up", "lost", "given up"] as const).map(
    (state) => sfuTimeout(state)?.action ?? null,
  );
  expect(next).toEqual([null, "give up", null, "give up", "retry"]);
});
