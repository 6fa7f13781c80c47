import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TrackFilter } from "../api.ts";
import { FakeDevices, FakeTrack, fakeStream, flush } from "../testing/media.ts";
import { LocalMediaDevices } from "./local-media.ts";

let devices: FakeDevices;
let media: LocalMediaDevices;
const BOTH = { microphone: true, camera: true };
const WITHOUT_NOISE = { noise: "off", autoGain: true, isMusic: false } as const;

beforeEach(() => {
  vi.useFakeTimers();
  devices = new FakeDevices();
  devices.ids.audio.push("audio2");
  devices.ids.video.push("video2");
  media = new LocalMediaDevices({
    devices: devices.asDevices,
    permissions: undefined,
    storage: undefined,
    createStream: fakeStream,
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const tracks = () => media.tracks.getSnapshot();
const now = () => media.getSnapshot();

test("changed processing opens the microphone once more, in the same mute state", async () => {
  await media.start(BOTH);
  await media.setMicrophone(false);
  const before = tracks().microphone;
  await media.setProcessing(WITHOUT_NOISE);
  expect(devices.requests.at(-1)).toEqual({
    audio: expect.objectContaining({ noiseSuppression: false, deviceId: { exact: "audio1" } }),
  });
  expect(tracks().microphone).not.toBe(before);
  expect(before?.readyState).toBe("ended");
  expect(tracks().microphone?.enabled).toBe(false);
  const { length } = devices.requests;
  await media.setProcessing(WITHOUT_NOISE);
  expect(devices.requests).toHaveLength(length);
});

test("processing that changes while the microphone opens applies once it has opened", async () => {
  devices.hanging.add("audio");
  const started = media.start(BOTH);
  await media.setProcessing(WITHOUT_NOISE);
  // No second prompt while the first is open.
  expect(devices.requests).toHaveLength(1);
  await devices.answer();
  await started;
  await flush();
  expect(devices.requests).toHaveLength(2);
  expect(devices.requests.at(-1)).toEqual({
    audio: expect.objectContaining({ noiseSuppression: false, deviceId: { exact: "audio1" } }),
  });
  expect(devices.live.filter(({ kind }) => kind === "audio")).toEqual([tracks().microphone]);
});

test("a microphone that can't be opened anew with other processing is not requested again and again", async () => {
  await media.start(BOTH);
  devices.busy.add("audio1");
  await media.setProcessing(WITHOUT_NOISE);
  await flush();
  expect(devices.requests).toHaveLength(2);
  expect(now().microphone).toMatchObject({ on: true, problem: "in_use" });
});

/** A filter of the camera, whose output is of its own device. */
function cameraFilter(): { filter: TrackFilter; stopped: () => number } {
  let stopped = 0;
  const filter: TrackFilter = async ({ id }) => ({
    track: new FakeTrack("video", `filtered ${id}`) as unknown as MediaStreamTrack,
    stop: () => void stopped++,
  });
  return { filter, stopped: () => stopped };
}

test("a filtered camera is sent and shown filtered only", async () => {
  const { filter, stopped } = cameraFilter();
  const sent: (MediaStreamTrack | null)[] = [];
  media.tracks.subscribe(() => sent.push(tracks().camera));
  media.setCameraFilter(filter);
  await media.start(BOTH);
  await flush();
  const [camera] = devices.live.filter(({ kind }) => kind === "video");
  expect(tracks().camera).toMatchObject({ deviceId: `filtered ${camera?.id}` });
  expect(now().cameraStream?.getTracks()).toEqual([tracks().camera]);
  await media.choose("camera", "video2");
  await flush();
  expect(stopped()).toBe(1);
  expect(now().camera).toMatchObject({ on: true, deviceId: "video2" });
  for (const track of sent) {
    if (track) expect(track).toMatchObject({ deviceId: expect.stringContaining("filtered") });
  }
  await media.setCamera(false);
  expect(stopped()).toBe(2);
  expect(now().cameraStream).toBeNull();
  expect(devices.live.filter(({ kind }) => kind === "video")).toEqual([]);
});

test("a camera whose filter can't run is not sent until the filter is gone", async () => {
  media.setCameraFilter(async () => {
    throw new Error("no WebGL");
  });
  await media.start(BOTH);
  await flush();
  expect(now()).toMatchObject({ cameraStream: null, hasCameraFilterFailed: true });
  expect(now().camera.on).toBe(true);
  expect(tracks().camera).toBeNull();
  media.setCameraFilter(null);
  expect(now().hasCameraFilterFailed).toBe(false);
  expect(now().cameraStream?.getTracks()).toEqual([tracks().camera]);
});

test("the microphone is recorded as it is sent, even while muted", async () => {
  const recorded: MediaStreamTrack[] = [];
  class Recorder extends EventTarget {
    state = "inactive";
    mimeType = "audio/webm";
    constructor(tracks: MediaStreamTrack[]) {
      super();
      recorded.push(...tracks);
    }
    start() {
      this.state = "recording";
    }
    stop() {
      this.state = "inactive";
      this.dispatchEvent(new Event("stop"));
    }
  }
  class Stream extends Array {
    constructor(tracks: MediaStreamTrack[]) {
      super();
      this.push(...tracks);
    }
  }
  vi.stubGlobal("MediaRecorder", Recorder);
  vi.stubGlobal("MediaStream", Stream);
  const inputs: MediaStreamTrack[] = [];
  const stopped: MediaStreamTrack[] = [];
  media.setMicrophoneFilter(async (input) => {
    inputs.push(input);
    const track = new FakeTrack("audio", "filtered") as unknown as MediaStreamTrack;
    return { track, stop: () => stopped.push(track) };
  });
  await media.start(BOTH);
  await media.setMicrophone(false);
  const recording = media.recordMicrophone(3000);
  await vi.advanceTimersByTimeAsync(3000);
  await recording;
  vi.unstubAllGlobals();
  expect(inputs).toHaveLength(2);
  expect(inputs[1]?.enabled).toBe(true);
  expect(inputs[1]?.readyState).toBe("ended");
  expect(recorded).toMatchObject([{ deviceId: "filtered", enabled: true, readyState: "ended" }]);
  expect(stopped).toHaveLength(1);
  expect(now().microphone).toMatchObject({ held: true, on: false });
});
