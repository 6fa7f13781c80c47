// Asking the browser for a microphone, a camera or both, with all that may stand in for them.
import { constraintsOf, exactly, type Input, isOverconstrained, problemOf } from "./devices.ts";

/** Names in `getUserMedia`. */
const MEDIA_KIND = { microphone: "audio", camera: "video" } as const;

/** The most other devices tried where the first is in use. */
const MAX_STAND_INS = 4;

export interface Wish {
  /** The device chosen; null is whichever the browser takes. */
  readonly deviceId: string | null;
  /** Where another program holds that device, another may stand in for it. */
  readonly mayStandIn: boolean;
}

/** Asks for these in one question; of each kind there is at most one track in the answer. */
export async function request(
  devices: MediaDevices,
  wanted: Readonly<Partial<Record<Input, string | null>>>,
): Promise<MediaStream> {
  const kinds = Object.entries(wanted) as [Input, string | null][];
  const forms = ([0, 1, 2] as const).map((form) =>
    Object.fromEntries(
      kinds.map(([kind, deviceId]) => [MEDIA_KIND[kind], constraintsOf(kind, deviceId)[form]]),
    ),
  );
  let refusal: unknown;
  for (const form of forms) {
    try {
      return await devices.getUserMedia(form);
    } catch (error) {
      if (!isOverconstrained(error)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** Opens one device. Rejects as `getUserMedia` does; asks no further once it is not wanted. */
export async function acquire(
  devices: MediaDevices,
  kind: Input,
  { deviceId, mayStandIn }: Wish,
  isWanted: () => boolean,
): Promise<MediaStreamTrack> {
  try {
    return onlyTrack(await request(devices, { [kind]: deviceId }));
  } catch (error) {
    if (!mayStandIn || problemOf(error) !== "in_use") throw error;
    for (const id of await standIns(devices, kind, deviceId)) {
      if (!isWanted()) break;
      try {
        const constraints = { [MEDIA_KIND[kind]]: exactly(kind, id) };
        return onlyTrack(await devices.getUserMedia(constraints));
      } catch {
        // In use as well, or refused: the first one's problem is the one to tell.
      }
    }
    throw error;
  }
}

/** The others of its kind; the browser's first is last, as it is the one that was in use. */
async function standIns(
  devices: MediaDevices,
  kind: Input,
  deviceId: string | null,
): Promise<string[]> {
  const infos = await devices.enumerateDevices?.();
  const ids = (infos ?? [])
    .filter((info) => info.kind === `${MEDIA_KIND[kind]}input` && info.deviceId)
    .map((info) => info.deviceId);
  const busy = deviceId ?? ids[0];
  return ids.filter((id) => id !== busy).slice(0, MAX_STAND_INS);
}

function onlyTrack(stream: MediaStream): MediaStreamTrack {
  const [track] = stream.getTracks();
  if (!track) throw new DOMException("a stream without a track", "NotFoundError");
  return track;
}
