import { expect, test } from "vitest";
import {
  constraintsOf,
  DEFAULT_PROCESSING,
  devicesByKind,
  exactConstraints,
  idealConstraints,
  kindsToRetry,
  loadChoices,
  problemOf,
  saveChoices,
  sinkIdOf,
} from "./devices.ts";

const IDEAL = idealConstraints(DEFAULT_PROCESSING);

const info = (kind: MediaDeviceKind, deviceId: string, label = "") =>
  ({ kind, deviceId, label, groupId: "" }) as MediaDeviceInfo;

test("devices are grouped by kind, without nameless ones and duplicates", () => {
  const devices = devicesByKind([
    info("audioinput", "communications", "Double"),
    info("audioinput", "m1", "Microphone"),
    info("videoinput", "", ""),
    info("videoinput", "c1", "Camera"),
    info("audiooutput", "s1", "Speaker"),
  ]);
  expect(devices.microphone).toEqual([{ id: "m1", label: "Microphone" }]);
  expect(devices.camera).toEqual([{ id: "c1", label: "Camera" }]);
  expect(devices.speaker).toEqual([{ id: "s1", label: "Speaker" }]);
});

test("each error of a browser maps to a problem", () => {
  const problem = (name: string) => problemOf(new DOMException("", name));
  expect(problem("NotAllowedError")).toBe("refused");
  expect(problem("NotFoundError")).toBe("missing");
  // The device exists but can't satisfy the constraints: plugging one in would not help.
  expect(problem("OverconstrainedError")).toBe("failed");
  expect(problem("NotReadableError")).toBe("in_use");
  const refusal = (message: string) => problemOf(new DOMException(message, "NotAllowedError"));
  expect(refusal("Permission denied")).toBe("refused");
  expect(refusal("Permission dismissed")).toBe("dismissed");
  expect(refusal("Permission denied by system")).toBe("blocked");
  expect(problemOf(new TypeError("odd"))).toBe("failed");
  expect(problemOf("odd")).toBe("failed");
});

test("a chosen device is requested exactly, then as ideal, then any device", () => {
  const [exact, ideal, any] = constraintsOf(IDEAL.camera, "c1");
  expect(exact.deviceId).toEqual({ exact: "c1" });
  expect(ideal.deviceId).toEqual({ ideal: "c1" });
  expect(any).toBe(true);
  const [usual] = constraintsOf(IDEAL.microphone, null);
  expect(usual).not.toHaveProperty("deviceId");
  expect(usual.echoCancellation).toBe(true);
});

test("every constraint except the chosen device is ideal", () => {
  for (const kind of ["microphone", "camera"] as const) {
    const { deviceId, ...others } = exactConstraints(IDEAL[kind], "d1");
    expect(deviceId).toEqual({ exact: "d1" });
    expect(JSON.stringify(others)).not.toMatch(/"(max|min|exact)"/);
  }
});

test("a speaker that is known to be gone is not used", () => {
  const speakers = [{ id: "s1", label: "" }];
  expect(sinkIdOf(null, speakers)).toBe("");
  expect(sinkIdOf("s1", speakers)).toBe("s1");
  expect(sinkIdOf("s2", speakers)).toBe("");
  // Without permission a browser lists none.
  expect(sinkIdOf("s2", [])).toBe("s2");
});

test("after a refusal only permitted kinds are requested again", () => {
  const permission = { microphone: "granted", camera: "denied" } as const;
  expect(kindsToRetry("refused", permission)).toEqual(["microphone"]);
  expect(kindsToRetry("refused", { microphone: "prompt", camera: null })).toEqual([]);
  expect(kindsToRetry("missing", permission)).toEqual(["microphone", "camera"]);
});

test("choices are stored, and invalid or closed storage is ignored", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const choices = { microphone: "m1", camera: null, speaker: "s1" };
  saveChoices(storage, choices);
  expect(loadChoices(storage)).toEqual(choices);
  const nothing = { microphone: null, camera: null, speaker: null };
  for (const invalid of ["", "null", "7", '{"camera":7}', "{"]) {
    expect(loadChoices({ getItem: () => invalid })).toEqual(nothing);
  }
  const closed = () => {
    throw new Error("closed");
  };
  expect(loadChoices({ getItem: closed })).toEqual(nothing);
  expect(() => saveChoices({ setItem: closed }, choices)).not.toThrow();
  expect(loadChoices(undefined)).toEqual(nothing);
});

test("music is not processed; strong suppression replaces the browser's", () => {
  const { microphone: music } = idealConstraints({ ...DEFAULT_PROCESSING, isMusic: true });
  expect(music).toMatchObject({ echoCancellation: false, noiseSuppression: false });
  expect(music.channelCount).toEqual({ ideal: 2 });
  const { microphone: strong } = idealConstraints({
    noise: "strong",
    autoGain: false,
    isMusic: false,
  });
  expect(strong).toEqual({
    echoCancellation: true,
    noiseSuppression: false,
    autoGainControl: false,
  });
});
