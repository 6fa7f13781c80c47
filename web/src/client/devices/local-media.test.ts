import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeDevices, fakeStream, flush } from "../testing/media.ts";
import { LocalMediaDevices } from "./local-media.ts";

let devices: FakeDevices;
let kept: Map<string, string>;
let media: LocalMediaDevices;
const BOTH = { microphone: true, camera: true };

function open(permission?: Record<string, PermissionState>): LocalMediaDevices {
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage;
  const query = async ({ name }: { name: string }) => ({ state: permission?.[name] ?? "prompt" });
  return new LocalMediaDevices({
    devices: devices.asDevices,
    permissions: { query } as unknown as Permissions,
    storage,
    createStream: fakeStream,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  devices = new FakeDevices();
  devices.ids.audio.push("audio2");
  devices.ids.video.push("video2");
  kept = new Map();
  media = open();
});

afterEach(() => {
  vi.useRealTimers();
});

const tracks = () => media.tracks.getSnapshot();
const now = () => media.getSnapshot();

test("both devices open with one question", async () => {
  await media.start(BOTH);
  expect(devices.asked).toHaveLength(1);
  expect(now().microphone).toEqual({
    on: true,
    wanted: true,
    opening: false,
    held: true,
    interrupted: false,
    deviceId: "audio1",
    problem: null,
  });
  expect(now().camera.on).toBe(true);
  expect(now().cameraStream?.getTracks()).toEqual([tracks().camera]);
  expect(now().devices.camera).toContainEqual({ id: "video1", label: "video1" });
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
  media = new LocalMediaDevices({
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
  expect(now().cameraStream).toBeNull();
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
  await flush();
  expect(tracks().camera?.readyState).toBe("live");
  devices.failing = { video: "NotFoundError" };
  devices.tracks.findLast(({ kind }) => kind === "video")?.end();
  await flush();
  expect(tracks().camera).toBeNull();
  expect(now().camera).toMatchObject({ on: false, problem: "missing" });
});

test("a muted microphone that is unplugged is replaced by a muted one", async () => {
  await media.start(BOTH);
  await media.setMicrophone(false);
  devices.live.find(({ kind }) => kind === "audio")?.end();
  await flush();
  expect(tracks().microphone?.readyState).toBe("live");
  expect(tracks().microphone?.enabled).toBe(false);
  expect(now().microphone).toMatchObject({ on: false, held: true });
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
  expect(now().screen.stream?.getTracks()).toEqual([screen]);
  await media.setScreen(false);
  expect(screen?.readyState).toBe("ended");
  expect(screen_audio?.readyState).toBe("ended");
  expect(now().screen).toMatchObject({ on: false, stream: null });

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

// A device that does not answer holds nothing up.

test("with a camera that never answers the microphone is muted at once", async () => {
  await media.start({ microphone: true, camera: false });
  devices.hanging.add("video");
  void media.setCamera(true);
  void media.setMicrophone(false);
  await flush();
  expect(tracks().microphone?.enabled).toBe(false);
  expect(now().microphone.on).toBe(false);
});

test("with a camera that never answers leaving closes the microphone at once", async () => {
  await media.start({ microphone: true, camera: false });
  const { microphone } = tracks();
  devices.hanging.add("video");
  void media.setCamera(true);
  media.stop();
  expect(microphone?.readyState).toBe("ended");
  expect(now()).toMatchObject({ microphone: { on: false }, camera: { opening: false } });
});

test("a camera turned off while it opens is closed when it opens after all", async () => {
  devices.hanging.add("video");
  void media.setCamera(true);
  await flush();
  expect(now().camera).toMatchObject({ on: false, wanted: true, opening: true });
  void media.setCamera(false);
  await flush();
  expect(now().camera).toMatchObject({ on: false, wanted: false, opening: false });
  await devices.answer();
  expect(devices.live).toEqual([]);
  expect(tracks().camera).toBeNull();
});

test("devices that open after leaving are closed, and stay closed for the next call", async () => {
  devices.hanging.add("audio");
  void media.start(BOTH);
  await flush();
  media.stop();
  await devices.answer();
  expect(devices.live).toEqual([]);
  expect(now()).toMatchObject({
    microphone: { on: false },
    camera: { on: false },
    cameraStream: null,
  });
});

test("a screen that is chosen after leaving is not captured, nor shared in the next call", async () => {
  devices.hanging.add("screen");
  void media.setScreen(true);
  await flush();
  media.stop();
  expect(now().screen).toMatchObject({ on: false, opening: false });
  await devices.answer();
  expect(devices.live).toEqual([]);
  expect(tracks()).toMatchObject({ screen: null, screen_audio: null });
  expect(now().screen.on).toBe(false);
});

test("a question of the browser that is not answered is told as that", async () => {
  devices.hanging.add("video");
  void media.setCamera(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(now().camera).toMatchObject({ opening: true, problem: "asking" });
  await devices.answer();
  expect(now().camera).toMatchObject({ on: true, problem: null });
});

test("a device that does not answer is named after some seconds, and opens when it does", async () => {
  media = open({ camera: "granted" });
  devices.hanging.add("video");
  void media.setCamera(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(now().camera.problem).toBeNull();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(now().camera).toMatchObject({ opening: true, problem: "unanswered" });
  await devices.answer();
  expect(now().camera).toMatchObject({ on: true, opening: false, problem: null });
});

test("a camera that never answers does not keep an allowed microphone from opening", async () => {
  media = open({ microphone: "granted", camera: "granted" });
  devices.hanging.add("video");
  void media.start(BOTH);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(now().microphone).toMatchObject({ on: true, problem: null });
  expect(now().camera).toMatchObject({ on: false, problem: "unanswered" });
  await devices.answer();
  expect(now().camera.on).toBe(true);
  expect(devices.live).toHaveLength(2);
});

test("while the person is being asked about both no second question comes", async () => {
  devices.hanging.add("video");
  void media.start(BOTH);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(devices.asked).toHaveLength(1);
  await devices.answer();
  expect(now()).toMatchObject({ microphone: { on: true }, camera: { on: true } });
});

test("another try at a device that does not answer asks again, and one of them is kept", async () => {
  devices.hanging.add("video");
  void media.setCamera(true);
  await vi.advanceTimersByTimeAsync(10_000);
  void media.start({ microphone: false, camera: true });
  await devices.answer();
  expect(devices.asked).toHaveLength(2);
  expect(now().camera).toMatchObject({ on: true, problem: null });
  expect(devices.live).toHaveLength(1);
});

// Devices that are busy, odd or gone.

test("a camera that can't do what is wished for opens with what it has", async () => {
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const video = typeof wanted.video === "object" ? wanted.video : {};
    const { max = Number.POSITIVE_INFINITY } = (video.frameRate ?? {}) as { max?: number };
    if (max < 60) throw new DOMException("", "OverconstrainedError");
    return real(wanted);
  };
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: true, problem: null });
});

test("a browser that takes no wishes at all is asked without any", async () => {
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    if (typeof wanted.video === "object" || typeof wanted.audio === "object") {
      throw new DOMException("", "OverconstrainedError");
    }
    return real(wanted);
  };
  await media.start(BOTH);
  expect(now()).toMatchObject({ microphone: { on: true }, camera: { on: true } });
});

test("where the first camera is busy the next one opens", async () => {
  devices.busy.add("video1");
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
  expect(now().microphone.on).toBe(true);
});

test("a chosen camera opens at once where the one before would not", async () => {
  devices.busy.add("video1").add("video2");
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: false, problem: "in_use" });
  devices.busy.delete("video2");
  await media.choose("camera", "video2");
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
});

test("a change to a busy camera keeps the one before, and says so", async () => {
  await media.start(BOTH);
  const before = tracks().camera;
  devices.busy.add("video2");
  await media.choose("camera", "video2");
  expect(tracks().camera).toBe(before);
  expect(before?.readyState).toBe("live");
  expect(now().camera).toMatchObject({
    on: true,
    held: true,
    deviceId: "video1",
    problem: "in_use",
  });
  // The next call does not begin with the busy one.
  expect(open().getSnapshot().camera.deviceId).not.toBe("video2");
  await media.choose("camera", "video1");
  expect(now().camera.problem).toBeNull();
});

test("on a phone, where one lens opens at a time, a busy one gives way to the one before", async () => {
  await media.start(BOTH);
  const before = devices.live.find(({ kind }) => kind === "video");
  Object.assign(before?.settings ?? {}, { facingMode: "user" });
  // The second lens opens only once the first is closed.
  const real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    if (wanted.video && devices.live.some(({ kind }) => kind === "video")) {
      throw new DOMException("", "NotReadableError");
    }
    return real(wanted);
  };
  await media.choose("camera", "video2");
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
  Object.assign(devices.live.find(({ kind }) => kind === "video")?.settings ?? {}, {
    facingMode: "environment",
  });
  devices.busy.add("video1");
  await media.choose("camera", "video1");
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: "in_use" });
});

test("a device whose permission is withdrawn closes, and the refusal is told", async () => {
  await media.start(BOTH);
  devices.failing = { audio: "NotAllowedError" };
  devices.live.find(({ kind }) => kind === "audio")?.end();
  await flush();
  expect(tracks().microphone).toBeNull();
  expect(now().microphone).toMatchObject({ on: false, problem: "refused" });
  expect(now().camera.on).toBe(true);
});

test("a device that ends as often as it opens is not opened for ever", async () => {
  await media.start({ microphone: false, camera: true });
  for (let i = 0; i < 20; i++) {
    devices.live[0]?.end();
    await flush();
  }
  expect(devices.asked.length).toBeLessThan(10);
  expect(now().camera).toMatchObject({ on: false, problem: "failed" });
});

// What the system mutes.

test("a track that the system mutes is told as interrupted until it is unmuted", async () => {
  await media.start(BOTH);
  devices.live.find(({ kind }) => kind === "audio")?.interrupt();
  expect(now().microphone).toMatchObject({ on: true, interrupted: true });
  devices.live.find(({ kind }) => kind === "audio")?.interrupt(false);
  expect(now().microphone.interrupted).toBe(false);
});

test("an interrupted device is given back by asking for it again", async () => {
  await media.start(BOTH);
  const before = devices.live.find(({ kind }) => kind === "video");
  before?.interrupt();
  await media.start({ microphone: false, camera: true });
  expect(before?.readyState).toBe("ended");
  expect(now().camera).toMatchObject({ on: true, interrupted: false });
  expect(tracks().camera?.id).not.toBe(before?.id);
});

// Loudspeakers.

test("a chosen loudspeaker that is unplugged gives way to the system's own until it is back", async () => {
  const ids = ["s1", "s2"];
  const inputs = devices.enumerateDevices.bind(devices);
  devices.enumerateDevices = async () => [
    ...(await inputs()),
    ...ids.map((deviceId) => ({ kind: "audiooutput", deviceId, label: deviceId })),
  ];
  await media.start(BOTH);
  await media.choose("speaker", "s2");
  expect(now().sink).toBe("s2");
  ids.pop();
  devices.dispatchEvent(new Event("devicechange"));
  await flush();
  expect(now()).toMatchObject({ speaker: "s2", sink: "" });
  ids.push("s2");
  devices.dispatchEvent(new Event("devicechange"));
  await flush();
  expect(now().sink).toBe("s2");
});
