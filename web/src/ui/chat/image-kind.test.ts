import { expect, test } from "vitest";
import { imageType } from "./image-kind.ts";

const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part,
    ),
  );

const png = (width: number[], height: number[]) =>
  bytes("\x89PNG\r\n\x1a\n", [0, 0, 0, 13], "IHDR", width, height, [8, 2, 0, 0, 0]);
const jpeg = bytes(
  [0xff, 0xd8, 0xff, 0xe0, 0, 16],
  "JFIF\0",
  [1, 1, 0, 0, 1, 0, 1, 0, 0],
  [0xff, 0xc2, 0, 17, 8, 0, 100, 0, 200, 3],
);

test("pictures are known by their first bytes", () => {
  expect(imageType(png([0, 0, 1, 0], [0, 0, 1, 0]))).toBe("image/png");
  expect(imageType(jpeg)).toBe("image/jpeg");
  expect(imageType(bytes("GIF89a", [16, 0, 16, 0, 0, 0, 0]))).toBe("image/gif");
  const webp = bytes("RIFF", [0, 0, 0, 0], "WEBPVP8X", Array(8).fill(0), [1, 1, 0, 1, 1, 0]);
  expect(imageType(webp)).toBe("image/webp");
});

test.each([
  ["SVG", bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ["HTML", bytes("<!doctype html><script>alert(1)</script>")],
  ["nothing", new Uint8Array()],
  ["a PNG cut short", bytes("\x89PNG\r\n\x1a\n")],
  ["a JPEG without a frame", bytes([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0])],
  ["a bomb of 4 gigapixels", png([0, 1, 0, 0], [0, 1, 0, 0])],
  ["a picture without height", png([0, 0, 1, 0], [0, 0, 0, 0])],
])("%s is no picture", (_, head) => {
  expect(imageType(head)).toBeNull();
});
