// Test of camera and microphone for the doctor: opens the chosen ones, looks and listens for a
// second, and closes them.
import { openDevice, requestDevices } from "./acquire.ts";
import {
  DEFAULT_PROCESSING,
  type InputKind,
  idealConstraints,
  isRefusal,
  kindsToRetry,
  problemOf,
} from "./devices.ts";
import { rmsOf } from "./level.ts";
import { inputPermissions } from "./permissions.ts";

const IDEAL = idealConstraints(DEFAULT_PROCESSING);
const MEASURE_MS = 1_000;
const INTERVAL_MS = 50;
/** Pixels in which brightness is looked for. */
const SIZE = { width: 32, height: 18 };

/** Outcome of opening a device. */
export type OpenedDevice = "opened" | "refused" | "missing" | "in_use" | "failed";

/** Outcome of a test of camera and microphone. */
export interface DevicesFacts {
  /** Outcome for the camera. */
  camera: OpenedDevice;
  /** Outcome for the microphone. */
  microphone: OpenedDevice;
  /** Loudest level in a second, 0 to 1. */
  level?: number;
  /** Brightest part of the brightest picture in a second, 0 to 255. */
  brightness?: number;
}

/** Ids of the devices to open; null for any. */
export type ChosenInputs = Readonly<Record<"microphone" | "camera", string | null>>;

const ANY: ChosenInputs = { microphone: null, camera: null };

/**
 * Opens the chosen camera and microphone for a second, with one permission prompt for both, and
 * measures them. Never rejects.
 */
export async function examineDevices(chosen: ChosenInputs = ANY): Promise<DevicesFacts> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) return { camera: "failed", microphone: "failed" };
  const { camera, microphone } = await open(devices, chosen);
  try {
    const [level, brightness] = await Promise.all([
      microphone instanceof MediaStreamTrack ? loudest(microphone).catch(() => null) : null,
      camera instanceof MediaStreamTrack ? brightest(camera).catch(() => null) : null,
    ]);
    return {
      camera: camera instanceof MediaStreamTrack ? "opened" : camera,
      microphone: microphone instanceof MediaStreamTrack ? "opened" : microphone,
      ...(level === null ? {} : { level }),
      ...(brightness === null ? {} : { brightness }),
    };
  } finally {
    for (const track of [camera, microphone]) {
      if (track instanceof MediaStreamTrack) track.stop();
    }
  }
}

type Opened = Record<InputKind, MediaStreamTrack | Exclude<OpenedDevice, "opened">>;

async function open(devices: MediaDevices, chosen: ChosenInputs): Promise<Opened> {
  try {
    const stream = await requestDevices(devices, IDEAL, chosen);
    return {
      microphone: stream.getAudioTracks()[0] ?? "missing",
      camera: stream.getVideoTracks()[0] ?? "missing",
    };
  } catch (error) {
    const problem = outcomeOf(error);
    const retried = kindsToRetry(problem, await inputPermissions(navigator.permissions));
    const alone = async (kind: InputKind) => {
      if (!retried.includes(kind)) return problem;
      const request = { deviceId: chosen[kind], allowFallback: false };
      return openDevice(devices, IDEAL, kind, request, () => true).catch(outcomeOf);
    };
    return { microphone: await alone("microphone"), camera: await alone("camera") };
  }
}

function outcomeOf(error: unknown): Exclude<OpenedDevice, "opened"> {
  const problem = problemOf(error);
  if (isRefusal(problem)) return "refused";
  return problem === "missing" || problem === "in_use" ? problem : "failed";
}

/** Loudest level in a second, 0 to 1; null if this browser can't listen. */
async function loudest(track: MediaStreamTrack): Promise<number | null> {
  const context = new AudioContext();
  try {
    await context.resume();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let level = 0;
    await repeat(() => {
      analyser.getFloatTimeDomainData(samples);
      level = Math.max(level, rmsOf(samples));
    });
    return context.state === "running" ? level : null;
  } finally {
    void context.close().catch(() => {});
  }
}

/** Brightest part of the brightest frame in a second, 0 to 255; null if no frame came. */
async function brightest(track: MediaStreamTrack): Promise<number | null> {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, SIZE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  try {
    await video.play();
    let brightness: number | null = null;
    await repeat(() => {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
      context.drawImage(video, 0, 0, SIZE.width, SIZE.height);
      const { data } = context.getImageData(0, 0, SIZE.width, SIZE.height);
      brightness = Math.max(brightness ?? 0, brightestOf(data));
    });
    return brightness;
  } finally {
    video.srcObject = null;
  }
}

/** The largest component of all pixels (RGBA), opacity aside. */
export function brightestOf(pixels: ArrayLike<number>): number {
  let brightest = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (i % 4 !== 3) brightest = Math.max(brightest, pixels[i] ?? 0);
  }
  return brightest;
}

function repeat(act: () => void): Promise<void> {
  return new Promise((resolve) => {
    const start = performance.now();
    const timer = setInterval(() => {
      act();
      if (performance.now() - start < MEASURE_MS) return;
      clearInterval(timer);
      resolve();
    }, INTERVAL_MS);
  });
}
