import { encode } from "uqr";
import { expect, test } from "vitest";
import { QUIET_ZONE, qrPath } from "./qr-path.ts";

test("each run of dark modules is one rectangle", () => {
  const path = qrPath([
    [true, true, false],
    [false, false, false],
    [true, false, true],
  ]);
  expect(path).toBe("M4 4h2v1h-2zM4 6h1v1h-1zM6 6h1v1h-1z");
});

test("the path draws exactly the modules of the code", () => {
  const { data, size } = encode("https://meet.example/r/tea", { border: 0 });
  const drawn = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  for (const [, x, y, length] of qrPath(data).matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    const row = drawn[Number(y) - QUIET_ZONE];
    row?.fill(true, Number(x) - QUIET_ZONE, Number(x) - QUIET_ZONE + Number(length));
  }
  expect(drawn).toEqual(data);
});
