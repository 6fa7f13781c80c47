import { expect, test } from "vitest";
import { parseVisit, startsDevice } from "./visit.ts";

test("known values are read, all others are as none", () => {
  expect(parseVisit("?mic=0&camera=1&lang=ko-KR&theme=dark&name=A")).toEqual({
    microphone: false,
    camera: true,
    language: "ko",
    theme: "dark",
  });
  expect(parseVisit("?mic=on&camera=&lang=xx&theme=neon")).toEqual({
    microphone: undefined,
    camera: undefined,
    language: undefined,
    theme: undefined,
  });
});

test("an address keeps a device off, whoever wrote it", () => {
  for (const isOwnLink of [true, false]) {
    for (const stored of [undefined, "on", "off"]) {
      expect(startsDevice(false, stored, isOwnLink)).toBe(false);
    }
  }
});

test("an address of elsewhere turns on no device that was off the last time", () => {
  expect(startsDevice(true, "off", false)).toBe(false);
  expect(startsDevice(true, "off", true)).toBe(true);
});

test("without a word in the address, the last choice counts", () => {
  expect(startsDevice(undefined, "off", true)).toBe(false);
  expect(startsDevice(undefined, undefined, false)).toBe(true);
  expect(startsDevice(true, undefined, false)).toBe(true);
});
