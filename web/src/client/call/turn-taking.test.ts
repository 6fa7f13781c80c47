import { expect, test } from "vitest";
import { type Floor, NO_FLOOR, reduceFloor } from "./turn-taking.ts";

const everybody = ["a", "b", "c"];

/** Listens every 200 ms to whoever speaks, the loudest first. */
function heard(floor: Floor, ...moments: string[][]): Floor {
  return moments.reduce(
    (now, speaking, i) => reduceFloor(now, speaking, everybody, i * 200),
    floor,
  );
}

const times = (count: number, ...speaking: string[]) => Array<string[]>(count).fill(speaking);

test("who begins to speak has the floor, and keeps it in silence", () => {
  const floor = heard(NO_FLOOR, ["a"]);
  expect(floor.speaker).toBe("a");
  expect(heard(floor, ...times(50)).speaker).toBe("a");
});

test("who speaks when the other has ended gets it at once", () => {
  expect(heard(NO_FLOOR, ["a"], [], ["b"]).speaker).toBe("b");
});

test("a cough over somebody changes nothing, talking over them does", () => {
  const floor = heard(NO_FLOOR, ["a"]);
  expect(heard(floor, ...times(3, "b", "a"), ...times(3, "a")).speaker).toBe("a");
  expect(heard(floor, ...times(10, "b", "a")).speaker).toBe("b");
});

test("who left has it no longer", () => {
  const floor = heard(NO_FLOOR, ["a"]);
  expect(reduceFloor(floor, [], ["b"], 0).speaker).toBeNull();
  expect(reduceFloor(floor, ["a", "b"], ["b"], 0).speaker).toBe("b");
});
