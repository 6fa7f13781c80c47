import { expect, test } from "vitest";
import { clip } from "./clip.ts";

test("a short text stays as it is, a long one ends in an ellipsis", () => {
  expect(clip("hello", 5)).toBe("hello");
  expect(clip("hello!", 5)).toBe("hell…");
  expect(clip("가".repeat(2_000), 120)).toHaveLength(120);
});

test("no character is cut in two", () => {
  expect(clip("😀😀😀", 3)).toBe("😀😀😀");
  expect(clip("😀😀😀😀", 3)).toBe("😀😀…");
});
