import { expect, test } from "vitest";
import { MAX_STAGED, staged } from "./staging.ts";

const file = (name: string, size = 1) => ({ name, size }) as File;

test("files are staged under safe names, in order, and told apart", () => {
  const first = staged([], [file("a/b.txt"), file("c.txt")], 10);
  expect(first.problem).toBeNull();
  const second = staged(first.files.slice(1), [file("c.txt")], 10);
  expect(second.files.map(({ name }) => name)).toEqual(["c.txt", "c.txt"]);
  expect(new Set(second.files.map(({ key }) => key)).size).toBe(2);
});

test("what is too large, or too much, is told and the rest is staged", () => {
  const { files, problem } = staged([], [file("big.iso", 11), file("small.txt", 10)], 10);
  expect(files.map(({ name }) => name)).toEqual(["small.txt"]);
  expect(problem).toEqual({ kind: "tooLarge", name: "big.iso" });
  const many = staged([], Array(MAX_STAGED + 1).fill(file("a")), 10);
  expect(many.files).toHaveLength(MAX_STAGED);
  expect(many.problem).toEqual({ kind: "tooMany" });
});
