import { expect, test } from "vitest";
import { isMirrored } from "./mirror.ts";

function camera(facingMode?: string) {
  const track = { getSettings: () => (facingMode ? { facingMode } : {}) };
  return { getVideoTracks: () => [track as MediaStreamTrack] };
}

test("one's own picture is mirrored, that of the back camera is not", () => {
  expect(isMirrored(camera())).toBe(true);
  expect(isMirrored(camera("user"))).toBe(true);
  expect(isMirrored(camera("environment"))).toBe(false);
});

test("nothing is mirrored for those who turned it off", () => {
  expect(isMirrored(camera("user"), "off")).toBe(false);
});
