import { expect, test } from "vitest";
import { FakeSender } from "../testing/peer.ts";
import {
  applyLayers,
  applyQuality,
  cameraLayers,
  cameraQuality,
  downscaleFor,
  meshQuality,
} from "./encoding.ts";

test("all cameras together stay within the uplink budget", () => {
  for (let others = 1; others <= 8; others++) {
    const quality = cameraQuality(others);
    expect(quality.maxBitrate * others).toBeLessThanOrEqual(2_400_000);
    expect(quality.maxBitrate).toBeLessThanOrEqual(cameraQuality(others - 1).maxBitrate);
    expect(quality.maxHeight).toBeLessThanOrEqual(cameraQuality(others - 1).maxHeight);
  }
});

test("video is only ever scaled down, by its shorter side", () => {
  expect(downscaleFor({ width: 1280, height: 720 }, 360)).toBe(2);
  expect(downscaleFor({ width: 720, height: 1280 }, 360)).toBe(2);
  expect(downscaleFor({ width: 320, height: 240 }, 360)).toBe(1);
  expect(downscaleFor({}, 360)).toBe(1);
});

test("a quality is applied once, and only to a sender with a track", async () => {
  const sender = new FakeSender();
  const before = sender.parameters;
  await applyQuality(sender as unknown as RTCRtpSender, cameraQuality(2));
  expect(sender.parameters).toBe(before);
  sender.track = {
    getSettings: () => ({ width: 1280, height: 720 }),
  } as unknown as MediaStreamTrack;
  await applyQuality(sender as unknown as RTCRtpSender, cameraQuality(2));
  expect(sender.parameters.encodings[0]).toEqual({
    maxBitrate: 1_200_000,
    scaleResolutionDownBy: 1.5,
  });
  const applied = sender.parameters;
  await applyQuality(sender as unknown as RTCRtpSender, cameraQuality(2));
  expect(sender.parameters).toBe(applied);
});

test("the number of layers follows the resolution, and the highest one is not scaled", () => {
  const used = (width: number, height: number) =>
    cameraLayers(2, { width, height }).filter(({ active }) => active);
  const scales = (width: number, height: number) =>
    used(width, height).map(({ scaleResolutionDownBy }) => scaleResolutionDownBy);
  expect(scales(1280, 720)).toEqual([4, 2, 1]);
  expect(scales(720, 1280)).toEqual([4, 2, 1]);
  expect(scales(640, 480)).toEqual([2, 1]);
  expect(scales(320, 180)).toEqual([1]);
  const best = (width: number, height: number) => used(width, height).at(-1)?.maxBitrate ?? 0;
  expect(best(1920, 1080)).toBe(1_700_000);
  expect(best(640, 360)).toBeLessThan(best(1280, 720) / 2);
  expect(cameraLayers(2).map(({ active }) => active)).toEqual([true, true, true]);
});

test("a new resolution is applied to the layers, and unsubscribed ones stay inactive", async () => {
  const sender = new FakeSender();
  const encodings = () => sender.parameters.encodings;
  sender.parameters.encodings = cameraLayers(2);
  const apply = (...[layers, wanted]: [ReturnType<typeof cameraLayers>, string[]?]) =>
    applyLayers(
      sender as unknown as RTCRtpSender,
      layers,
      wanted && { shown: wanted.length > 0, rids: wanted },
    );
  await apply(cameraLayers(2, { width: 640, height: 360 }));
  expect(encodings().map((each) => [each.active, each.scaleResolutionDownBy])).toEqual([
    [true, 2],
    [true, 1],
    [false, 1],
  ]);
  await apply(cameraLayers(2, { width: 640, height: 360 }), ["q", "f"]);
  expect(encodings().map(({ active }) => active)).toEqual([true, false, false]);
  await apply(cameraLayers(2, { width: 1280, height: 720 }), ["q", "f"]);
  expect(encodings().map(({ active }) => active)).toEqual([true, false, true]);
});

test("a send limit leaves out the layers above it, but never the lowest", () => {
  const heights = (limit: "auto" | "low" | "saver", size = { width: 1280, height: 720 }) =>
    cameraLayers(2, size, limit)
      .filter(({ active }) => active)
      .map(({ scaleResolutionDownBy }) => size.height / (scaleResolutionDownBy ?? 1));
  expect(heights("auto")).toEqual([180, 360, 720]);
  expect(heights("low")).toEqual([180, 360]);
  expect(heights("saver")).toEqual([180]);
  expect(heights("saver", { width: 320, height: 240 })).toEqual([240]);
});

test("a send limit bounds the camera of every mesh link, and not the screen", () => {
  expect(meshQuality(1, "saver").camera).toEqual({ maxBitrate: 150_000, maxHeight: 180 });
  expect(meshQuality(1, "saver").screen).toEqual(meshQuality(1).screen);
  expect(meshQuality(8, "low").camera).toEqual(meshQuality(8).camera);
});
