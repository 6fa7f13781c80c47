import { expect, test } from "vitest";
import type { CallFacts } from "../api.ts";
import { isUploadWeak } from "./upload.ts";

const FINE: CallFacts = {
  transport: "udp",
  sent: [{ packets: 2000, lost: 4 }],
  publishers: [],
  jitterMs: 2,
  concealed: 0,
  dropped: 0,
  limitedCpu: 0,
  limitedBandwidth: 0,
  availableKbps: 3000,
  encodeMs: 5,
  encodedRate: 30,
  capturedRate: 30,
  height: 720,
};

test("an upload is weak if it limits the camera and has little to give", () => {
  expect(isUploadWeak(FINE)).toBe(false);
  expect(isUploadWeak({ ...FINE, limitedBandwidth: 0.8, availableKbps: 200 })).toBe(true);
  // The start of a call, and a large room's small share, are no weakness.
  expect(isUploadWeak({ ...FINE, limitedBandwidth: 0.2, availableKbps: 200 })).toBe(false);
  expect(isUploadWeak({ ...FINE, limitedBandwidth: 0.8, availableKbps: 2000 })).toBe(false);
});

test("an upload is weak if much of what is sent is lost", () => {
  expect(isUploadWeak({ ...FINE, sent: [{ packets: 1000, lost: 120 }] })).toBe(true);
  expect(isUploadWeak({ ...FINE, sent: [{ packets: 20, lost: 10 }] })).toBe(false);
  expect(isUploadWeak(null)).toBe(false);
});
