// Microphones, cameras and loudspeakers: which there are, which is chosen, why one won't open.
import type { Device, DeviceKind, DeviceProblem } from "./face.ts";

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
  switch (error instanceof Error || error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "in_use";
    default:
      return "failed";
  }
}

/** What to ask for. A chosen device that is gone falls back to another of its kind. */
export function constraintsOf(
  kind: "microphone" | "camera",
  deviceId: string | null,
): MediaTrackConstraints {
  const chosen = deviceId === null ? {} : { deviceId: { ideal: deviceId } };
  return kind === "microphone"
    ? { ...chosen, echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    : {
        ...chosen,
        width: { ideal: 1280 },
        height: { ideal: 720 },
        frameRate: { ideal: 30, max: 30 },
      };
}

/** Both devices were asked for in one question, which failed: which of them to ask for singly. */
export function worthAsking(
  problem: DeviceProblem,
  permission: Readonly<Record<"microphone" | "camera", PermissionState | null>>,
): ("microphone" | "camera")[] {
  const both: ("microphone" | "camera")[] = ["microphone", "camera"];
  // One may be missing and the other not; a refusal is only asked about where it isn't meant.
  return problem === "refused" ? both.filter((kind) => permission[kind] === "granted") : both;
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
