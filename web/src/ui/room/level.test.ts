import { expect, test } from "vitest";
import { litBars } from "./level.ts";

test("silence lights no bars, full scale all, speech some", () => {
  expect(litBars(0, 8)).toBe(0);
  expect(litBars(0.001, 8)).toBe(0);
  expect(litBars(1, 8)).toBe(8);
  expect(litBars(0.05, 8)).toBeGreaterThan(2);
  expect(litBars(0.05, 8)).toBeLessThan(7);
});

test("a higher level never lights fewer bars", () => {
  let before = 0;
  for (let level = 0; level <= 1; level += 0.01) {
    const lit = litBars(level, 8);
    expect(lit).toBeGreaterThanOrEqual(before);
    before = lit;
  }
});
