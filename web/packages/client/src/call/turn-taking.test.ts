import { expect, test } from "vitest";
import { type Floor, NO_FLOOR, reduceFloor } from "./turn-taking.ts";

const everyone = ["a", "b", "c"];

/** Reduces measurements 200 ms apart; each lists the speaking ids, the loudest first. */
function measured(floor: Floor, ...measurements: string[][]): Floor {
  return measurements.reduce(
    (now, speaking, i) => reduceFloor(now, speaking, everyone, i * 200),
    floor,
  );
}

const times = (count: number, ...speaking: string[]) => Array<string[]>(count).fill(speaking);

test("the first speaker gets the floor and keeps it in silence", () => {
  const floor = measured(NO_FLOOR, ["a"]);
  expect(floor.speaker).toBe("a");
  expect(measured(floor, ...times(50)).speaker).toBe("a");
});

test("a speaker takes the floor at once from a silent one", () => {
  expect(measured(NO_FLOOR, ["a"], [], ["b"]).speaker).toBe("b");
});

test("a short interruption changes nothing, a long one takes the floor", () => {
  const floor = measured(NO_FLOOR, ["a"]);
  expect(measured(floor, ...times(3, "b", "a"), ...times(3, "a")).speaker).toBe("a");
  expect(measured(floor, ...times(10, "b", "a")).speaker).toBe("b");
});

test("a participant that left loses the floor", () => {
  const floor = measured(NO_FLOOR, ["a"]);
  expect(reduceFloor(floor, [], ["b"], 0).speaker).toBeNull();
  expect(reduceFloor(floor, ["a", "b"], ["b"], 0).speaker).toBe("b");
});
