import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeDevices, fakeStream, flush } from "../testing/media.ts";
import { LocalMediaDevices } from "./local-media.ts";

let devices: FakeDevices;
let stored: Map<string, string>;
let media: LocalMediaDevices;
const BOTH = { microphone: true, camera: true };

/** Gives a permission in the browser's own settings. */
const grants = new Map<string, (() => void)[]>();

function open(permission?: Record<string, PermissionState>): LocalMediaDevices {
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  } as Storage;
  const query = async ({ name }: { name: string }) => {
    const status = Object.assign(new EventTarget(), { state: permission?.[name] ?? "prompt" });
    const grant = () => {
      status.state = "granted";
      status.dispatchEvent(new Event("change"));
    };
    grants.set(name, [...(grants.get(name) ?? []), grant]);
    return status;
  };
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
  stored = new Map();
  grants.clear();
  media = open();
});

afterEach(() => {
  vi.useRealTimers();
});

const tracks = () => media.tracks.getSnapshot();
const now = () => media.getSnapshot();

test("both devices open with one request", async () => {
  await media.start(BOTH);
  expect(devices.requests).toHaveLength(1);
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

test("the microphone opens without a camera", async () => {
  devices.errors = { video: "NotFoundError" };
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: false, opening: false, problem: "missing" });
  expect(now().microphone).toMatchObject({ on: true, problem: null });
});

test("a refusal of both is not followed by more requests", async () => {
  devices.errors = { audio: "NotAllowedError", video: "NotAllowedError" };
  await media.start(BOTH);
  expect(devices.requests).toHaveLength(1);
  expect(now().microphone).toMatchObject({ on: false, opening: false, problem: "refused" });
  expect(now().camera.problem).toBe("refused");
});

test("a device that is permitted later opens by itself, unless nobody wants it", async () => {
  devices.errors = { audio: "NotAllowedError", video: "NotAllowedError" };
  await media.start(BOTH);
  await media.setCamera(false);
  devices.errors = {};
  for (const grant of [...grants.values()].flat()) grant();
  await flush();
  expect(now().microphone).toMatchObject({ on: true, problem: null });
  expect(now().camera).toMatchObject({ on: false, held: false, problem: null });
  expect(devices.requests).toHaveLength(2);
});

test("the microphone opens if only the camera is refused", async () => {
  media = open({ microphone: "granted", camera: "denied" });
  devices.errors = { video: "NotAllowedError" };
  await media.start(BOTH);
  expect(now().microphone.on).toBe(true);
  expect(now().camera.problem).toBe("refused");
});

test("outside a secure context both devices report insecure", async () => {
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

test("muting keeps the microphone open, turning the camera off closes it", async () => {
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

test("quick clicks end in the state of the last one", async () => {
  await media.start(BOTH);
  void media.setCamera(false);
  void media.setCamera(true);
  void media.setCamera(false);
  await media.setCamera(true);
  expect(now().camera.on).toBe(true);
  expect(devices.tracks.filter(({ readyState }) => readyState === "live")).toHaveLength(2);
});

test("another device takes over at once, stays muted and is stored", async () => {
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
  expect(devices.requests).toEqual([]);
  expect(now().camera).toMatchObject({ on: false, deviceId: "video2" });
});

test("an unplugged device is replaced, or reported as missing if there is no other", async () => {
  await media.start(BOTH);
  devices.tracks.find(({ kind }) => kind === "video")?.end();
  await flush();
  expect(tracks().camera?.readyState).toBe("live");
  devices.errors = { video: "NotFoundError" };
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

test("stop closes every device", async () => {
  await media.start(BOTH);
  media.stop();
  await media.setCamera(false);
  expect(devices.tracks.every(({ readyState }) => readyState === "ended")).toBe(true);
});

test("a screen is shared with audio and content hint, and ends by either button", async () => {
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

test("a screen is requested once at a time, even while a device is being opened", async () => {
  const opening = media.start(BOTH);
  await Promise.all([media.setScreen(true), media.setScreen(true)]);
  await opening;
  expect(devices.tracks.filter(({ deviceId }) => deviceId === "screen1")).toHaveLength(2);
});

test("a cancelled picker is no problem, a refusal by the system is", async () => {
  devices.displayError = new DOMException("Permission denied by user", "NotAllowedError");
  await media.setScreen(true);
  expect(now().screen).toMatchObject({ on: false, opening: false, problem: null });
  devices.displayError = new DOMException("Permission denied by system", "NotAllowedError");
  await media.setScreen(true);
  expect(now().screen.problem).toBe("blocked");
  devices.displayError = null;
  await media.setScreen(true);
  expect(now().screen).toMatchObject({ on: true, problem: null });
});

test("stop ends the screen share", async () => {
  await media.setScreen(true);
  media.stop();
  expect(now().screen.on).toBe(false);
});

// A device that does not answer blocks nothing else.

test("the microphone is muted at once while the camera never answers", async () => {
  await media.start({ microphone: true, camera: false });
  devices.hanging.add("video");
  void media.setCamera(true);
  void media.setMicrophone(false);
  await flush();
  expect(tracks().microphone?.enabled).toBe(false);
  expect(now().microphone.on).toBe(false);
});

test("stop closes the microphone at once while the camera never answers", async () => {
  await media.start({ microphone: true, camera: false });
  const { microphone } = tracks();
  devices.hanging.add("video");
  void media.setCamera(true);
  media.stop();
  expect(microphone?.readyState).toBe("ended");
  expect(now()).toMatchObject({ microphone: { on: false }, camera: { opening: false } });
});

test("a camera turned off while opening is closed when it opens", async () => {
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

test("devices that open after stop are closed", async () => {
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

test("a screen chosen after stop is closed and not shared", async () => {
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

test("an unanswered permission prompt is reported as asking", async () => {
  devices.hanging.add("video");
  void media.setCamera(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(now().camera).toMatchObject({ opening: true, problem: "asking" });
  await devices.answer();
  expect(now().camera).toMatchObject({ on: true, problem: null });
});

test("a permitted device without an answer is reported as unanswered until it opens", async () => {
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

test("a camera that never answers does not delay a permitted microphone", async () => {
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

test("no second prompt opens while the first is unanswered", async () => {
  devices.hanging.add("video");
  void media.start(BOTH);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(devices.requests).toHaveLength(1);
  await devices.answer();
  expect(now()).toMatchObject({ microphone: { on: true }, camera: { on: true } });
});

test("a retry of an unanswered device requests it again and keeps one track", async () => {
  devices.hanging.add("video");
  void media.setCamera(true);
  await vi.advanceTimersByTimeAsync(10_000);
  void media.start({ microphone: false, camera: true });
  await devices.answer();
  expect(devices.requests).toHaveLength(2);
  expect(now().camera).toMatchObject({ on: true, problem: null });
  expect(devices.live).toHaveLength(1);
});

// Devices that are busy, limited or gone.

test("a camera that can't satisfy the constraints opens without them", async () => {
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

test("a browser that rejects any constraints is asked without them", async () => {
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

test("if the first camera is busy the next one opens", async () => {
  devices.busy.add("video1");
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
  expect(now().microphone.on).toBe(true);
});

test("a chosen camera opens after the one before was busy", async () => {
  devices.busy.add("video1").add("video2");
  await media.start(BOTH);
  expect(now().camera).toMatchObject({ on: false, problem: "in_use" });
  devices.busy.delete("video2");
  await media.choose("camera", "video2");
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
});

test("a change to a busy camera keeps the one before and reports in_use", async () => {
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
  // The busy camera is not stored as the choice.
  expect(open().getSnapshot().camera.deviceId).not.toBe("video2");
  await media.choose("camera", "video1");
  expect(now().camera.problem).toBeNull();
});

test("on a phone with one lens at a time a busy lens falls back to the one before", async () => {
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

test("a device whose permission is withdrawn closes and is reported as refused", async () => {
  await media.start(BOTH);
  devices.errors = { audio: "NotAllowedError" };
  devices.live.find(({ kind }) => kind === "audio")?.end();
  await flush();
  expect(tracks().microphone).toBeNull();
  expect(now().microphone).toMatchObject({ on: false, problem: "refused" });
  expect(now().camera.on).toBe(true);
});

test("a device that ends whenever it opens is not reopened forever", async () => {
  await media.start({ microphone: false, camera: true });
  for (let i = 0; i < 20; i++) {
    devices.live[0]?.end();
    await flush();
  }
  expect(devices.requests.length).toBeLessThan(10);
  expect(now().camera).toMatchObject({ on: false, problem: "failed" });
});

// Interruptions by the system.

test("a track that the system mutes for more than a second is interrupted until it is unmuted", async () => {
  await media.start(BOTH);
  const track = devices.live.find(({ kind }) => kind === "audio");
  track?.interrupt();
  vi.advanceTimersByTime(999);
  expect(now().microphone).toMatchObject({ on: true, interrupted: false });
  vi.advanceTimersByTime(1);
  expect(now().microphone).toMatchObject({ on: true, interrupted: true });
  track?.interrupt(false);
  expect(now().microphone.interrupted).toBe(false);
});

test("a track that the system mutes again and again for 0.9 seconds is not interrupted", async () => {
  await media.start(BOTH);
  const track = devices.live.find(({ kind }) => kind === "video");
  let changes = 0;
  media.subscribe(() => changes++);
  for (let i = 0; i < 3; i++) {
    track?.interrupt();
    vi.advanceTimersByTime(900);
    track?.interrupt(false);
    vi.advanceTimersByTime(200);
  }
  vi.advanceTimersByTime(5_000);
  expect([now().camera.interrupted, changes]).toEqual([false, 0]);
});

test("a device that is muted when it opens is interrupted after a second, unless it is closed", async () => {
  const muted = devices.asDevices.getUserMedia.bind(devices.asDevices);
  devices.asDevices.getUserMedia = async (constraints) => {
    const stream = await muted(constraints);
    for (const track of stream.getTracks()) Object.assign(track, { muted: true });
    return stream;
  };
  await media.start(BOTH);
  expect([now().microphone.interrupted, now().camera.interrupted]).toEqual([false, false]);
  await media.setCamera(false);
  vi.advanceTimersByTime(1_000);
  expect([now().microphone.interrupted, now().camera.interrupted]).toEqual([true, false]);
});

test("starting an interrupted device reopens it", async () => {
  await media.start(BOTH);
  const before = devices.live.find(({ kind }) => kind === "video");
  before?.interrupt();
  vi.advanceTimersByTime(1_000);
  expect(now().camera.interrupted).toBe(true);
  await media.start({ microphone: false, camera: true });
  expect(before?.readyState).toBe("ended");
  expect(now().camera).toMatchObject({ on: true, interrupted: false });
  expect(tracks().camera?.id).not.toBe(before?.id);
});

// Speakers.

test("an unplugged speaker falls back to the system's default until it is back", async () => {
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

test("a phone's camera flips to the one that looks the other way, and back", async () => {
  devices.facing.set("video1", "user").set("video2", "environment");
  await media.start(BOTH);
  expect(now().canFlipCamera).toBe(true);
  await media.flipCamera();
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
  await media.flipCamera();
  expect(now().camera.deviceId).toBe("video1");
  expect(devices.live.filter(({ kind }) => kind === "video")).toHaveLength(1);
});

test("a phone that opens one lens at a time flips, too", async () => {
  devices.facing.set("video1", "user").set("video2", "environment");
  devices.opensOneLens = true;
  await media.start(BOTH);
  await media.flipCamera();
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2", problem: null });
});

test("a camera of a computer can't be flipped", async () => {
  await media.start(BOTH);
  expect(now().canFlipCamera).toBe(false);
  const { length } = devices.requests;
  await media.flipCamera();
  expect(devices.requests).toHaveLength(length);
});

test("a test mutes the microphone and unmutes it afterwards, once", async () => {
  await media.start(BOTH);
  const end = media.muteForTest();
  expect(now().microphone.on).toBe(false);
  end();
  expect(now().microphone.on).toBe(true);
  await media.setMicrophone(false);
  end();
  expect(now().microphone.on).toBe(false);
});

test("after a test the microphone stays as anybody left it meanwhile", async () => {
  await media.start(BOTH);
  // A host mutes.
  let end = media.muteForTest();
  await media.setMicrophone(false);
  end();
  expect(now().microphone.on).toBe(false);
  // The person unmutes and mutes again.
  await media.setMicrophone(true);
  end = media.muteForTest();
  await media.setMicrophone(true);
  await media.setMicrophone(false);
  end();
  expect(now().microphone.on).toBe(false);
  // A microphone that was muted before is not opened to the others.
  media.muteForTest()();
  expect(now().microphone.on).toBe(false);
  // The call ends.
  await media.setMicrophone(true);
  end = media.muteForTest();
  media.stop();
  end();
  await flush();
  expect(now().microphone.held).toBe(false);
  expect(devices.live).toEqual([]);
});
