// Microphones, cameras and loudspeakers: which there are, which is chosen, why one won't open.
import type { Device, DeviceKind, DeviceProblem } from "../api.ts";

export type Devices = Readonly<Record<DeviceKind, readonly Device[]>>;

/** The devices of each kind, as a person would tell them apart. */
export function sorted(infos: readonly MediaDeviceInfo[]): Devices {
  const of = (kind: MediaDeviceKind): Device[] =>
    infos
      // Without permission a browser tells of one nameless device; "communications" is a double.
      .filter((info) => info.kind === kind && info.deviceId && info.deviceId !== "communications")
      .map((info) => ({ id: info.deviceId, label: info.label }));
  return {
    microphone: of("audioinput"),
    camera: of("videoinput"),
    speaker: of("audiooutput"),
  };
}

/** Why `getUserMedia` refused (https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia). */
export function problemOf(error: unknown): DeviceProblem {
  switch ((error as { name?: unknown } | null)?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "in_use";
    default:
      return "failed";
  }
}

export type Input = "microphone" | "camera";

/** Wishes, none of which keeps a device from opening: a camera may do 60 frames a second or none. */
const WISHES: Readonly<Record<Input, MediaTrackConstraints>> = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
};

/**
 * Constraints in the order to be tried while a browser finds that nothing fits: the chosen device
 * itself, another of its kind, whatever there is.
 */
export function constraintsOf(
  kind: Input,
  deviceId: string | null,
): readonly [MediaTrackConstraints, MediaTrackConstraints, true] {
  const wishes = WISHES[kind];
  return deviceId === null
    ? [wishes, wishes, true]
    : [exactly(kind, deviceId), { ...wishes, deviceId: { ideal: deviceId } }, true];
}

/** That device and no other. */
export function exactly(kind: Input, deviceId: string): MediaTrackConstraints {
  return { ...WISHES[kind], deviceId: { exact: deviceId } };
}

/** Nothing that there is fits what was asked for. */
export function isOverconstrained(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === "OverconstrainedError";
}

/** Both devices were asked for in one question, which failed: which of them to ask for singly. */
export function worthAsking(
  problem: DeviceProblem,
  permission: Readonly<Record<Input, PermissionState | null>>,
): Input[] {
  const both: Input[] = ["microphone", "camera"];
  // One may be missing and the other not; a refusal is only asked about where it isn't meant.
  return problem === "refused" ? both.filter((kind) => permission[kind] === "granted") : both;
}

/** The loudspeaker to use: the chosen one, unless it is known to be gone; "" is the system's own. */
export function sinkOf(chosen: string | null, speakers: readonly Device[]): string {
  const isGone = speakers.length > 0 && !speakers.some(({ id }) => id === chosen);
  return chosen === null || isGone ? "" : chosen;
}

/** What is remembered on this device. */
export type Choices = Readonly<Record<DeviceKind, string | null>>;

const KEY = "moim.devices";
const NOTHING: Choices = { microphone: null, camera: null, speaker: null };

/** What was chosen before; nothing where storage is closed to us or holds something else. */
export function remembered(storage: Pick<Storage, "getItem"> | undefined): Choices {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? "{}");
    if (typeof stored !== "object" || stored === null) return NOTHING;
    const id = (kind: DeviceKind) => {
      const value = (stored as Record<string, unknown>)[kind];
      return typeof value === "string" ? value : null;
    };
    return { microphone: id("microphone"), camera: id("camera"), speaker: id("speaker") };
  } catch {
    return NOTHING;
  }
}

export function remember(storage: Pick<Storage, "setItem"> | undefined, choices: Choices): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
