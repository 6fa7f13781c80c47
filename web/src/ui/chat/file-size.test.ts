import { expect, test } from "vitest";
import { fileSize } from "./file-size.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_000, "1 kB"],
  [2_449, "2.4 kB"],
  [123_456, "123 kB"],
  [999_970, "1 MB"],
  [30_000_000, "30 MB"],
  [2 ** 31, "2.1 GB"],
  [5_000_000_000_000, "5,000 GB"],
])("%i bytes are “%s”", (bytes, text) => {
  expect(fileSize(bytes, "en")).toBe(text);
});

test("sizes are written in Korean, too", () => {
  expect(fileSize(30_000_000, "ko")).toMatch(/^30\s?MB$/);
});
