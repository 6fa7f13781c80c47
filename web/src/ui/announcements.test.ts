import { expect, test } from "vitest";
import { enqueue } from "./announcements.ts";

test("a text is at most 120 characters, as a screen reader can't be told to skip the rest", () => {
  const [text] = enqueue([], "말 ".repeat(100));
  expect([...(text ?? "")].length).toBeLessThanOrEqual(120);
});

test("what waits already is not told twice, and the oldest gives way", () => {
  const all = ["a", "b", "c", "b", "d", "e"].reduce(enqueue, [] as string[]);
  expect(all).toEqual(["b", "c", "d", "e"]);
});
