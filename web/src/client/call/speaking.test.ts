import { expect, test } from "vitest";
import { loudness, onMeter } from "../devices/level.ts";
import { afterListening, type Heard, loudnessOf } from "./speaking.ts";

const level = (...pairs: [string, number][]) => new Map(pairs);

test("a speaker is heard through short pauses, and no longer", () => {
  let heard: Heard = new Map();
  heard = afterListening(heard, level(["a", 0.3], ["b", 0.001]), 1_000);
  expect([...heard.keys()]).toEqual(["a"]);
  heard = afterListening(heard, level(["a", 0]), 1_500);
  expect([...heard.keys()]).toEqual(["a"]);
  heard = afterListening(heard, level(["a", 0]), 2_000);
  expect([...heard.keys()]).toEqual([]);
});

test("the meter shows silence as 0, full scale as 1, and half in decibels between", () => {
  expect(onMeter(loudness([0, 0, 0]))).toBe(0);
  expect(onMeter(loudness([1, -1, 1]))).toBe(1);
  expect(onMeter(10 ** (-30 / 20))).toBeCloseTo(0.5);
  expect(onMeter(1e-9)).toBe(0);
  expect(loudness([])).toBe(0);
});

test("the media server's levels are on the same scale", () => {
  expect(loudnessOf(0)).toBe(0);
  expect(loudnessOf(127)).toBe(1);
  expect(loudnessOf(87)).toBeCloseTo(0.01);
});
