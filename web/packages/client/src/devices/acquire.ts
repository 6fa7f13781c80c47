// Calls of `getUserMedia`, with the fallbacks for constraints and for devices in use.
import {
  constraintsOf,
  exactConstraints,
  type IdealConstraints,
  type InputKind,
  isOverconstrained,
  problemOf,
} from "./devices.ts";

/** Members of `MediaStreamConstraints`. */
const TRACK_KIND = { microphone: "audio", camera: "video" } as const;

/** Other devices tried if the first is in use. */
const MAX_FALLBACKS = 4;

export interface DeviceRequest {
  /** The chosen device; null leaves it to the browser. */
  readonly deviceId: string | null;
  /** If the device is in use, another may be opened instead. */
  readonly allowFallback: boolean;
  /** A camera that looks this way, whichever it is. */
  readonly facingMode?: FacingMode;
}

/** The direction of a phone's camera: at the user, or away. */
export type FacingMode = "user" | "environment";

/** Requests devices with one prompt. The stream has at most one track of each kind. */
export async function requestDevices(
  devices: MediaDevices,
  ideal: IdealConstraints,
  wanted: Readonly<Partial<Record<InputKind, string | null>>>,
): Promise<MediaStream> {
  const kinds = Object.entries(wanted) as [InputKind, string | null][];
  const attempts = ([0, 1, 2] as const).map((level) =>
    Object.fromEntries(
      kinds.map(([kind, deviceId]) => [
        TRACK_KIND[kind],
        constraintsOf(ideal[kind], deviceId)[level],
      ]),
    ),
  );
  let lastError: unknown;
  for (const constraints of attempts) {
    try {
      return await devices.getUserMedia(constraints);
    } catch (error) {
      if (!isOverconstrained(error)) throw error;
      lastError = error;
    }
  }
  throw lastError;
}

/** Opens one device. Rejects as `getUserMedia` does; stops trying once `isWanted` is false. */
export async function openDevice(
  devices: MediaDevices,
  ideal: IdealConstraints,
  kind: InputKind,
  { deviceId, allowFallback, facingMode }: DeviceRequest,
  isWanted: () => boolean,
): Promise<MediaStreamTrack> {
  if (facingMode) {
    const video = { ...ideal.camera, facingMode: { exact: facingMode } };
    return onlyTrack(await devices.getUserMedia({ video }));
  }
  try {
    return onlyTrack(await requestDevices(devices, ideal, { [kind]: deviceId }));
  } catch (error) {
    if (!allowFallback || problemOf(error) !== "in_use") throw error;
    for (const id of await fallbacksFor(devices, kind, deviceId)) {
      if (!isWanted()) break;
      try {
        const constraints = { [TRACK_KIND[kind]]: exactConstraints(ideal[kind], id) };
        return onlyTrack(await devices.getUserMedia(constraints));
      } catch {
        // Also in use or refused: the error of the first device is reported.
      }
    }
    throw error;
  }
}

/** Other devices of the kind. Without a choice the busy one is the browser's first. */
async function fallbacksFor(
  devices: MediaDevices,
  kind: InputKind,
  deviceId: string | null,
): Promise<string[]> {
  const infos = await devices.enumerateDevices?.();
  const ids = (infos ?? [])
    .filter((info) => info.kind === `${TRACK_KIND[kind]}input` && info.deviceId)
    .map((info) => info.deviceId);
  const busy = deviceId ?? ids[0];
  return ids.filter((id) => id !== busy).slice(0, MAX_FALLBACKS);
}

function onlyTrack(stream: MediaStream): MediaStreamTrack {
  const [track] = stream.getTracks();
  if (!track) throw new DOMException("the stream has no track", "NotFoundError");
  return track;
}
