import { expect, test } from "vitest";
import { NO_UPLOAD_HINT, reduceUploadHint } from "./upload-hint-state.ts";

test("a weak upload is told once a minute, for a while", () => {
  let state = NO_UPLOAD_HINT;
  const shown: number[] = [];
  for (let now = 0; now <= 130_000; now += 2_000) {
    const before = state;
    state = reduceUploadHint(state, { now, isWeak: true });
    if (state.isShown && !before.isShown) shown.push(now);
  }
  expect(shown).toEqual([0, 60_000, 120_000]);
  expect(reduceUploadHint(state, { now: 150_000, isWeak: true }).isShown).toBe(false);
  expect(reduceUploadHint(NO_UPLOAD_HINT, { now: 0, isWeak: false }).isShown).toBe(false);
});
