import { expect, test } from "vitest";
import { initials, toneOf } from "./initials.ts";

test.each([
  ["김지우", "지우"],
  ["지우", "지우"],
  ["남궁민수", "민수"],
  ["Ada Lovelace", "AL"],
  ["grace", "G"],
  ["  Anna   Maria  Kim ", "AK"],
  ["👩‍👩‍👧 family", "👩‍👩‍👧F"],
  ["김지우".normalize("NFD"), "지우"],
  ["   ", ""],
])("the initials of “%s” are %s", (name, expected) => {
  expect(initials(name)).toBe(expected);
});

test("a name has the same tone in any Unicode normalisation", () => {
  expect(toneOf("모임".normalize("NFD"))).toBe(toneOf("모임"));
  expect(toneOf("a")).not.toBe(toneOf("b"));
});
