import type { Call } from "moim-client";
import { expect, test } from "vitest";
import { type Phase, reducePhase } from "./phase.ts";

const call = {} as Call;
const rejection = { code: "wrong_password", kind: "password" } as const;
const preview: Phase = { name: "preview", rejection: null };

test("joining leads from the preview into the call, leaving ends it", () => {
  const joining = reducePhase(preview, { type: "join" });
  expect(joining).toEqual({ name: "joining", rejection: null });
  const joined = reducePhase(joining, { type: "joined", call, now: 5000 });
  expect(joined).toEqual({ name: "call", call, since: 5000 });
  const ended = reducePhase(joined, { type: "ended", call, error: null, now: 68_000 });
  expect(ended).toEqual({ name: "ended", error: null, seconds: 63 });
});

test("a rejection leads back to the preview and is kept during the next attempt", () => {
  const joining: Phase = { name: "joining", rejection: null };
  const rejected = reducePhase(joining, { type: "rejected", rejection });
  expect(rejected).toEqual({ name: "preview", rejection });
  expect(reducePhase(rejected, { type: "join" })).toEqual({ name: "joining", rejection });
});

test("the end of an earlier call does not end the current one", () => {
  const current: Phase = { name: "call", call, since: 0 };
  expect(reducePhase(current, { type: "ended", call: {} as Call, error: null, now: 1 })).toBe(
    current,
  );
});

test("a call in another tab is asked about before joining, not during a call", () => {
  const request = { name: "Ada", password: "" };
  const asked = reducePhase(preview, { type: "elsewhere", request, otherRoom: "tea" });
  expect(asked).toEqual({ name: "elsewhere", request, otherRoom: "tea" });
  expect(reducePhase(asked, { type: "join" })).toEqual({ name: "joining", rejection: null });
  const current: Phase = { name: "call", call, since: 0 };
  expect(reducePhase(current, { type: "elsewhere", request, otherRoom: null })).toBe(current);
});

test("a join, a wait or a question that is given up leads to the preview", () => {
  const phases: Phase[] = [
    { name: "joining", rejection },
    { name: "waiting" },
    { name: "elsewhere", request: { name: "Ada", password: "" }, otherRoom: null },
  ];
  for (const phase of phases) {
    expect(reducePhase(phase, { type: "cancelled" })).toEqual(preview);
  }
});

test("navigating back after the call leads to the preview", () => {
  const ended: Phase = { name: "ended", error: null, seconds: 60 };
  expect(reducePhase(ended, { type: "navigatedBack" })).toEqual(preview);
  const joining: Phase = { name: "joining", rejection: null };
  expect(reducePhase(joining, { type: "navigatedBack" })).toBe(joining);
});
