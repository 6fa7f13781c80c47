import { expect, test } from "vitest";
import { chime } from "./chime.ts";

test("the chime is a WAVE file whose lengths agree, and loud enough to be heard", () => {
  const buffer = chime();
  const view = new DataView(buffer);
  const text = (offset: number, length: number) =>
    String.fromCharCode(...new Uint8Array(buffer, offset, length));
  expect([text(0, 4), text(8, 8), text(36, 4)]).toEqual(["RIFF", "WAVEfmt ", "data"]);
  expect(view.getUint32(4, true)).toBe(buffer.byteLength - 8);
  expect(view.getUint32(40, true)).toBe(buffer.byteLength - 44);
  const samples = new Int16Array(buffer, 44);
  expect(Math.max(...samples.map(Math.abs))).toBeGreaterThan(0.3 * 0x7fff);
  // No click at either end.
  expect([samples.at(0), Math.abs(samples.at(-1) ?? 1) < 40]).toEqual([0, true]);
  expect(samples.length / view.getUint32(24, true)).toBeCloseTo(0.9);
});
