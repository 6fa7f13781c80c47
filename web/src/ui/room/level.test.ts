import { expect, test } from "vitest";
import { meterLevelOf } from "../../../packages/client/src/devices/level.ts";
import { litBars } from "./level.ts";

/** Bars lit by audio of that level. */
const litAt = (dbfs: number) => litBars(meterLevelOf(10 ** (dbfs / 20)), 8);

test("a quiet room lights no bars, speech some, a shout nearly all", () => {
  expect(litAt(-70)).toBe(0);
  expect(litAt(-60)).toBe(0);
  expect(litAt(-55)).toBeLessThanOrEqual(1);
  expect(litAt(-40)).toBe(3);
  expect([5, 6]).toContain(litAt(-20));
  expect([7, 8]).toContain(litAt(-6));
  expect(litAt(0)).toBe(8);
});

test("a higher level never lights fewer bars, and none lights more than there are", () => {
  let before = 0;
  for (let dbfs = -70; dbfs <= 10; dbfs++) {
    const lit = litAt(dbfs);
    expect(lit).toBeGreaterThanOrEqual(before);
    expect(lit).toBeLessThanOrEqual(8);
    before = lit;
  }
});
