import type { Layer, TrackStats } from "moim-client";
import { expect, test } from "vitest";
import {
  formatBitrate,
  formatFrameRate,
  formatMilliseconds,
  formatPercent,
  sortTracks,
} from "./stats-format.ts";

test.each([
  [0, "0 kb/s"],
  [31_600, "32 kb/s"],
  [1_700_000, "1.7 Mb/s"],
])("%d bits per second are %s", (bits, text) => expect(formatBitrate(bits)).toBe(text));

test.each([
  [0, "0 %"],
  [0.004, "0.4 %"],
  [0.256, "26 %"],
])("a fraction of %d is %s", (fraction, text) => expect(formatPercent(fraction)).toBe(text));

test("an unknown time is a dash", () => {
  expect(formatMilliseconds(null)).toBe("–");
  expect(formatMilliseconds(12.4)).toBe("12 ms");
});

test("a layer has a frame rate, and a scalability mode if it has several layers", () => {
  const layer: Layer = { width: 1280, height: 720, frameRate: 29.7, mode: null };
  expect(formatFrameRate(layer)).toBe("30 fps");
  expect(formatFrameRate({ ...layer, mode: "L1T1" })).toBe("30 fps");
  expect(formatFrameRate({ ...layer, mode: "L3T3_KEY" })).toBe("30 fps · L3T3_KEY");
});

test("received tracks are grouped by participant in page order, sent tracks come last", () => {
  const track = (
    direction: TrackStats["direction"],
    participant: string,
    source: TrackStats["source"],
  ) => ({ direction, participant, source }) as TrackStats;
  const tracks = [
    track("out", "sfu", "microphone"),
    track("in", "a", "microphone"),
    track("in", "b", "microphone"),
    track("in", "a", "camera"),
    track("in", "b", "camera"),
  ];
  const ordered = sortTracks(tracks, ["b", "a"]);
  expect(ordered.map(({ participant, source }) => `${participant} ${source}`)).toEqual([
    "b camera",
    "b microphone",
    "a camera",
    "a microphone",
    "sfu microphone",
  ]);
});
