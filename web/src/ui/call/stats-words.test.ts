import { expect, test } from "vitest";
import type { Flow } from "../../client/index.ts";
import { milliseconds, percent, pictureOf, rate } from "./stats-words.ts";

test.each([
  [0, "0 kb/s"],
  [31_600, "32 kb/s"],
  [1_700_000, "1.7 Mb/s"],
])("%d bits a second are %s", (bits, text) => expect(rate(bits)).toBe(text));

test.each([
  [0, "0 %"],
  [0.004, "0.4 %"],
  [0.256, "26 %"],
])("a share of %d is %s", (share, text) => expect(percent(share)).toBe(text));

test("what is not known is a dash", () => {
  expect(milliseconds(null)).toBe("–");
  expect(milliseconds(12.4)).toBe("12 ms");
});

test("a picture tells its size, frames and layers, a voice nothing", () => {
  const flow: Flow = {
    direction: "out",
    participant: "sfu",
    source: "camera",
    codec: "VP8",
    bitrate: 0,
    loss: null,
    width: 1280,
    height: 720,
    frameRate: 29.7,
    freezes: 0,
    layers: ["q", "h", "f"],
  };
  expect(pictureOf(flow)).toBe("1280×720 · 30 fps · q h f");
  expect(pictureOf({ ...flow, layers: [], frameRate: null })).toBe("1280×720");
  expect(pictureOf({ ...flow, width: null, height: null })).toBe("–");
});
