import { expect, test } from "vitest";
import { divisorOf } from "./frame-reader.ts";
import { fromRgba, newI420, shrink, splitPairs } from "./i420.ts";

/** Y, U and V of a picture of one colour. */
function yuvOf(rgb: [number, number, number], space: Parameters<typeof fromRgba>[2]): number[] {
  const frame = newI420(4, 2);
  const rgba = new Uint8ClampedArray(Array.from({ length: 8 }, () => [...rgb, 255]).flat());
  fromRgba(rgba, frame, space);
  return [frame.y[5], frame.u[1], frame.v[0]] as number[];
}

test("colours become those of the tables of BT.601 and BT.709", () => {
  const tv = { matrix: "smpte170m", fullRange: false } as const;
  expect(yuvOf([255, 255, 255], tv)).toEqual([235, 128, 128]);
  expect(yuvOf([0, 0, 0], tv)).toEqual([16, 128, 128]);
  expect(yuvOf([255, 0, 0], tv)).toEqual([81, 90, 240]);
  expect(yuvOf([0, 0, 255], tv)).toEqual([41, 240, 110]);
  const hd = { matrix: "bt709", fullRange: false } as const;
  expect(yuvOf([255, 0, 0], hd)).toEqual([63, 102, 240]);
  expect(yuvOf([0, 255, 0], hd)).toEqual([173, 42, 26]);
  expect(yuvOf([255, 255, 255], { matrix: "bt709", fullRange: true })).toEqual([255, 128, 128]);
});

test("a frame has its planes one behind the other, also with an odd size", () => {
  const frame = newI420(5, 3);
  expect([frame.y.length, frame.u.length, frame.v.length]).toEqual([15, 6, 6]);
  expect(frame.v.byteOffset).toBe(21);
  expect(frame.data.length).toBe(27);
});

test("a smaller plane has the means of its pixels", () => {
  const to = new Uint8Array(2);
  const plane = Uint8Array.from([10, 20, 100, 100, 30, 40, 100, 104]);
  shrink({ plane, width: 4 }, { plane: to, width: 2, height: 1 }, 2);
  expect([...to]).toEqual([25, 101]);
});

test("pairs of colour are split", () => {
  const u = new Uint8Array(2);
  const v = new Uint8Array(2);
  splitPairs(Uint8Array.from([1, 2, 3, 4]), u, v);
  expect([...u, ...v]).toEqual([1, 3, 2, 4]);
});

test("frames are divided to about the lines asked for", () => {
  expect(divisorOf(1280, 720, 720)).toBe(1);
  expect(divisorOf(1920, 1080, 720)).toBe(2);
  expect(divisorOf(720, 1280, 360)).toBe(2);
  expect(divisorOf(640, 480, 360)).toBe(1);
  expect(divisorOf(320, 180, 360)).toBe(1);
});
