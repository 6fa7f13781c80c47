import { expect, test } from "vitest";
import { meterLevelOf, rmsOf } from "../devices/level.ts";
import { linearLevel, reduceSpeaking, type Speaking } from "./speaking.ts";

const level = (...pairs: [string, number][]) => new Map(pairs);

test("a participant counts as speaking through short pauses only", () => {
  let speaking: Speaking = new Map();
  speaking = reduceSpeaking(speaking, level(["a", 0.3], ["b", 0.001]), 1_000);
  expect([...speaking.keys()]).toEqual(["a"]);
  speaking = reduceSpeaking(speaking, level(["a", 0]), 1_500);
  expect([...speaking.keys()]).toEqual(["a"]);
  speaking = reduceSpeaking(speaking, level(["a", 0]), 2_000);
  expect([...speaking.keys()]).toEqual([]);
});

test("the meter shows silence as 0, full scale as 1 and is logarithmic in between", () => {
  expect(meterLevelOf(rmsOf([0, 0, 0]))).toBe(0);
  expect(meterLevelOf(rmsOf([1, -1, 1]))).toBe(1);
  expect(meterLevelOf(10 ** (-30 / 20))).toBeCloseTo(0.5);
  expect(meterLevelOf(1e-9)).toBe(0);
  expect(rmsOf([])).toBe(0);
});

test("levels of the media server are converted to the linear scale", () => {
  expect(linearLevel(0)).toBe(0);
  expect(linearLevel(127)).toBe(1);
  expect(linearLevel(87)).toBeCloseTo(0.01);
});
