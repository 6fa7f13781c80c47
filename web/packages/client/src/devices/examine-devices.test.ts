import { expect, test } from "vitest";
import { brightestOf } from "./examine-devices.ts";

test("black pixels are dark, however opaque", () => {
  expect(brightestOf([0, 3, 1, 255, 2, 0, 0, 255])).toBe(3);
  expect(brightestOf([0, 0, 0, 255, 9, 200, 7, 255])).toBe(200);
});
