import { expect, test } from "vitest";
import type { Flow, Layer } from "../../client/index.ts";
import { inOrder, milliseconds, motionOf, percent, rate } from "./stats-words.ts";

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

test("a picture tells its frames, and its inner layers where there are any", () => {
  const layer: Layer = { width: 1280, height: 720, frameRate: 29.7, mode: null };
  expect(motionOf(layer)).toBe("30 fps");
  expect(motionOf({ ...layer, mode: "L1T1" })).toBe("30 fps");
  expect(motionOf({ ...layer, mode: "L3T3_KEY" })).toBe("30 fps · L3T3_KEY");
});

test("what comes from one participant stands together, as on the page, and what goes out last", () => {
  const flow = (direction: Flow["direction"], participant: string, source: Flow["source"]) =>
    ({ direction, participant, source }) as Flow;
  const flows = [
    flow("out", "sfu", "microphone"),
    flow("in", "a", "microphone"),
    flow("in", "b", "microphone"),
    flow("in", "a", "camera"),
    flow("in", "b", "camera"),
  ];
  const ordered = inOrder(flows, ["b", "a"]);
  expect(ordered.map(({ participant, source }) => `${participant} ${source}`)).toEqual([
    "b camera",
    "b microphone",
    "a camera",
    "a microphone",
    "sfu microphone",
  ]);
});
