// Microphones, cameras and speakers: enumeration, constraints, errors and stored choices.
import type { Device, DeviceKind, DeviceProblem, SoundProcessing } from "../api.ts";
import type { KeyValueStorage } from "../options.ts";

/** Kinds of device that capture. */
export type InputKind = "microphone" | "camera";

export type Devices = Readonly<Record<DeviceKind, readonly Device[]>>;

/** Groups devices by kind, without duplicates and without devices hidden until permission. */
export function devicesByKind(infos: readonly MediaDeviceInfo[]): Devices {
  const of = (kind: MediaDeviceKind): Device[] =>
    infos
      // Without permission a browser lists one nameless device; "communications" is a duplicate.
      .filter((info) => info.kind === kind && info.deviceId && info.deviceId !== "communications")
      .map((info) => ({ id: info.deviceId, label: info.label }));
  return {
    microphone: of("audioinput"),
    camera: of("videoinput"),
    speaker: of("audiooutput"),
  };
}

/**
 * Maps a rejection of `getUserMedia`
 * (https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia).
 */
export function problemOf(error: unknown): DeviceProblem {
  switch (nameOf(error)) {
    case "NotAllowedError":
      return refusalOf(error);
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

/** Browsers of the Chromium family say in the message who refused; others don't. */
function refusalOf(error: unknown): Refusal {
  const message = String((error as { message?: unknown } | null)?.message);
  if (/dismissed/i.test(message)) return "dismissed";
  return /by (the )?system/i.test(message) ? "blocked" : "refused";
}

/** A device that may not be used. */
export type Refusal = Extract<DeviceProblem, "refused" | "dismissed" | "blocked">;

/** True if a person, a policy or a system refused. */
export function isRefusal(problem: DeviceProblem | null): problem is Refusal {
  return problem === "refused" || problem === "dismissed" || problem === "blocked";
}

/** No device satisfies the constraints. */
export function isOverconstrained(error: unknown): boolean {
  return nameOf(error) === "OverconstrainedError";
}

function nameOf(error: unknown): unknown {
  return (error as { name?: unknown } | null)?.name;
}

/** Constraints of each kind. Ideal values only, since any stricter one may keep it from opening. */
export type IdealConstraints = Readonly<Record<InputKind, MediaTrackConstraints>>;

export const DEFAULT_PROCESSING: SoundProcessing = {
  noise: "browser",
  autoGain: true,
  isMusic: false,
};

/** Constraints for a microphone that is processed like this. */
export function idealConstraints({ noise, autoGain, isMusic }: SoundProcessing): IdealConstraints {
  return {
    microphone: isMusic
      ? {
          echoCancellation: false,
          noiseSuppression: false,
          autoGainControl: false,
          channelCount: { ideal: 2 },
        }
      : {
          echoCancellation: true,
          // Strong suppression is done by the page: two in a row would eat into speech.
          noiseSuppression: noise === "browser",
          autoGainControl: autoGain,
        },
    camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  };
}

/**
 * Constraints to try in order while the browser reports them as overconstrained: the chosen device,
 * another of its kind, any.
 */
export function constraintsOf(
  ideal: MediaTrackConstraints,
  deviceId: string | null,
): readonly [MediaTrackConstraints, MediaTrackConstraints, true] {
  return deviceId === null
    ? [ideal, ideal, true]
    : [exactConstraints(ideal, deviceId), { ...ideal, deviceId: { ideal: deviceId } }, true];
}

/** Constraints for that device only. */
export function exactConstraints(
  ideal: MediaTrackConstraints,
  deviceId: string,
): MediaTrackConstraints {
  return { ...ideal, deviceId: { exact: deviceId } };
}

/** Kinds worth requesting separately after a request for both failed. */
export function kindsToRetry(
  problem: DeviceProblem,
  permission: Readonly<Record<InputKind, PermissionState | null>>,
): InputKind[] {
  const both: InputKind[] = ["microphone", "camera"];
  // One kind may be missing while the other is not. A refusal of both may mean only one of them.
  return isRefusal(problem) ? both.filter((kind) => permission[kind] === "granted") : both;
}

/** Argument for `setSinkId`: the chosen speaker unless it is known to be gone, else "". */
export function sinkIdOf(chosen: string | null, speakers: readonly Device[]): string {
  const isGone = speakers.length > 0 && !speakers.some(({ id }) => id === chosen);
  return chosen === null || isGone ? "" : chosen;
}

/** Chosen devices by kind, stored in this browser. */
export type DeviceChoices = Readonly<Record<DeviceKind, string | null>>;

const KEY = "moim.devices";
const NO_CHOICES: DeviceChoices = { microphone: null, camera: null, speaker: null };

/** Loads the choices; none if storage is unavailable or holds anything else. */
export function loadChoices(storage: Pick<KeyValueStorage, "getItem"> | undefined): DeviceChoices {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? "{}");
    if (typeof stored !== "object" || stored === null) return NO_CHOICES;
    const id = (kind: DeviceKind) => {
      const value = (stored as Record<string, unknown>)[kind];
      return typeof value === "string" ? value : null;
    };
    return { microphone: id("microphone"), camera: id("camera"), speaker: id("speaker") };
  } catch {
    return NO_CHOICES;
  }
}

export function saveChoices(
  storage: Pick<KeyValueStorage, "setItem"> | undefined,
  choices: DeviceChoices,
): void {
  try {
    storage?.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
