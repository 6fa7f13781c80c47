import { expect, test } from "vitest";
import { applyQuality, shrinkage, videoQuality } from "./encoding.ts";
import { FakeSender } from "./testing/peer.ts";

test("all videos together stay within an uplink, the more the smaller", () => {
  for (let others = 1; others <= 8; others++) {
    const quality = videoQuality(others);
    expect(quality.maxBitrate * others).toBeLessThanOrEqual(2_400_000);
    expect(quality.maxBitrate).toBeLessThanOrEqual(videoQuality(others - 1).maxBitrate);
    expect(quality.lines).toBeLessThanOrEqual(videoQuality(others - 1).lines);
  }
});

test("a picture only ever shrinks, by its shorter side", () => {
  expect(shrinkage({ width: 1280, height: 720 }, 360)).toBe(2);
  expect(shrinkage({ width: 720, height: 1280 }, 360)).toBe(2);
  expect(shrinkage({ width: 320, height: 240 }, 360)).toBe(1);
  expect(shrinkage({}, 360)).toBe(1);
});

test("a sender is given its quality once, and only with something to send", async () => {
  const sender = new FakeSender();
  const before = sender.parameters;
  await applyQuality(sender as unknown as RTCRtpSender, videoQuality(2));
  expect(sender.parameters).toBe(before);
  sender.track = {
    getSettings: () => ({ width: 1280, height: 720 }),
  } as unknown as MediaStreamTrack;
  await applyQuality(sender as unknown as RTCRtpSender, videoQuality(2));
  expect(sender.parameters.encodings[0]).toEqual({
    maxBitrate: 1_200_000,
    scaleResolutionDownBy: 1.5,
  });
  const applied = sender.parameters;
  await applyQuality(sender as unknown as RTCRtpSender, videoQuality(2));
  expect(sender.parameters).toBe(applied);
});
