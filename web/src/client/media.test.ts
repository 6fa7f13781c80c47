import { beforeEach, expect, test } from "vitest";
import { Media } from "./media.ts";
import { FakeDevices, fakeStream } from "./testing/media.ts";

let devices: FakeDevices;
let kept: Map<string, string>;
let media: Media;
const BOTH = { microphone: true, camera: true };

function open(permission?: Record<string, PermissionState>): Media {
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage;
  const query = async ({ name }: { name: string }) => ({ state: permission?.[name] ?? "prompt" });
  return new Media({
    devices: devices.asDevices,
    permissions: { query } as unknown as Permissions,
    storage,
    createStream: fakeStream,
  });
}

beforeEach(() => {
  devices = new FakeDevices();
  kept = new Map();
  media = open();
});

const tracks = () => media.tracks.getSnapshot();
const now = () => media.getSnapshot();

test("both devices open with one question", async () => {
  await media.start(BOTH);
  expect(devices.asked).toHaveLength(1);
  expect(now().microphone).toEqual({
    on: true,
    opening: false,
    deviceId: "audio1",
    problem: null,
  });
  expect(now().camera.on).toBe(true);
  expect(now().picture?.getTracks()).toEqual([tracks().camera]);
  expect(now().devices.camera).toEqual([{ id: "video1", label: "Camera" }]);
});

test("without a camera there is a microphone still", async () => {
  devices.failing = { video: "NotFoundError" };
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: false, opening: false, problem: "missing" });
  expect(now().microphone).toMatchObject({ on: true, problem: null });
});

test("a refusal of both is not followed by more questions", async () => {
  devices.failing = { audio: "NotAllowedError", video: "NotAllowedError" };
  await media.start(BOTH);
  expect(devices.asked).toHaveLength(1);
  expect(now().microphone).toMatchObject({ on: false, opening: false, problem: "refused" });
  expect(now().camera.problem).toBe("refused");
});

test("where only the camera is refused the microphone opens", async () => {
  media = open({ microphone: "granted", camera: "denied" });
  devices.failing = { video: "NotAllowedError" };
  await media.start(BOTH);
  expect(now().microphone.on).toBe(true);
  expect(now().camera.problem).toBe("refused");
});

test("outside a secure context it says so", async () => {
  media = new Media({
    devices: undefined,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
  await media.start(BOTH);
  expect(now().microphone).toMatchObject({ problem: "insecure", opening: false });
  expect(now().camera.problem).toBe("insecure");
});

test("muting keeps the microphone open, camera off closes the camera", async () => {
  await media.start(BOTH);
  const { microphone, camera } = tracks();
  await media.setMicrophone(false);
  expect(tracks().microphone).toBe(microphone);
  expect(microphone?.enabled).toBe(false);
  expect(now().microphone.on).toBe(false);
  await media.setCamera(false);
  expect(tracks().camera).toBeNull();
  expect(camera?.readyState).toBe("ended");
  expect(now().picture).toBeNull();
  await media.setMicrophone(true);
  await media.setCamera(true);
  expect(microphone?.enabled).toBe(true);
  expect(tracks().camera?.readyState).toBe("live");
});

test("quick clicks end where the last one pointed", async () => {
  await media.start(BOTH);
  void media.setCamera(false);
  void media.setCamera(true);
  void media.setCamera(false);
  await media.setCamera(true);
  expect(now().camera.on).toBe(true);
  expect(devices.tracks.filter(({ readyState }) => readyState === "live")).toHaveLength(2);
});

test("another device takes over at once, is remembered, and stays muted", async () => {
  await media.start(BOTH);
  await media.setMicrophone(false);
  const before = tracks().microphone;
  await media.choose("microphone", "audio2");
  expect(before?.readyState).toBe("ended");
  expect(tracks().microphone?.enabled).toBe(false);
  expect(now().microphone).toMatchObject({ on: false, deviceId: "audio2" });
  await media.choose("speaker", "s1");
  expect(now().speaker).toBe("s1");
  media = open();
  expect(now().microphone.deviceId).toBe("audio2");
  await media.start(BOTH);
  expect(now().microphone.deviceId).toBe("audio2");
});

test("choosing a closed device opens nothing", async () => {
  await media.choose("camera", "video2");
  expect(devices.asked).toEqual([]);
  expect(now().camera).toMatchObject({ on: false, deviceId: "video2" });
});

test("an unplugged device is replaced, or reported when there is no other", async () => {
  await media.start(BOTH);
  devices.tracks.find(({ kind }) => kind === "video")?.end();
  await media.setMicrophone(true);
  expect(tracks().camera?.readyState).toBe("live");
  devices.failing = { video: "NotFoundError" };
  devices.tracks.findLast(({ kind }) => kind === "video")?.end();
  await media.setMicrophone(true);
  expect(tracks().camera).toBeNull();
  expect(now().camera).toMatchObject({ on: false, problem: "missing" });
});

test("stopped, it holds no device", async () => {
  await media.start(BOTH);
  media.stop();
  await media.setCamera(false);
  expect(devices.tracks.every(({ readyState }) => readyState === "ended")).toBe(true);
});

test("a screen is shared with its sound, told sharp, and ends by either button", async () => {
  await media.setScreen(true);
  expect(now().screen).toMatchObject({ on: true, opening: false, problem: null });
  const { screen, screen_audio } = tracks();
  expect([screen?.kind, screen_audio?.kind, screen?.contentHint]).toEqual([
    "video",
    "audio",
    "detail",
  ]);
  expect(now().screen.picture?.getTracks()).toEqual([screen]);
  await media.setScreen(false);
  expect(screen?.readyState).toBe("ended");
  expect(screen_audio?.readyState).toBe("ended");
  expect(now().screen).toMatchObject({ on: false, picture: null });

  await media.setScreen(true);
  devices.tracks.at(-2)?.end();
  expect(now().screen.on).toBe(false);
  expect(tracks()).toMatchObject({ screen: null, screen_audio: null });
});

test("a screen is asked for once at a time, and whether or not a device is being opened", async () => {
  const opening = media.start(BOTH);
  await Promise.all([media.setScreen(true), media.setScreen(true)]);
  await opening;
  expect(devices.tracks.filter(({ deviceId }) => deviceId === "screen1")).toHaveLength(2);
});

test("who decides against sharing has no problem; one whose system forbids it has", async () => {
  devices.refusing = new DOMException("Permission denied by user", "NotAllowedError");
  await media.setScreen(true);
  expect(now().screen).toMatchObject({ on: false, opening: false, problem: null });
  devices.refusing = new DOMException("Permission denied by system", "NotAllowedError");
  await media.setScreen(true);
  expect(now().screen.problem).toBe("refused");
  devices.refusing = null;
  await media.setScreen(true);
  expect(now().screen).toMatchObject({ on: true, problem: null });
});

test("the end of a call ends the sharing, too", async () => {
  await media.setScreen(true);
  media.stop();
  expect(now().screen.on).toBe(false);
});
