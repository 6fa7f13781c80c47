// How much a participant sends: in a mesh it encodes and uploads once for each other, to the media
// server once in several layers.

/** What one video is sent at. */
export interface VideoQuality {
  /** Bits per second. */
  readonly maxBitrate: number;
  /** Lines of the picture, counted on its shorter side. */
  readonly lines: number;
}

/** What all videos together may upload, in bits per second: a middling home uplink. */
const UPLINK = 2_400_000;
const BEST = 1_700_000;
const LEAST = 150_000;

/** The quality of the video to each of `others` participants. */
export function videoQuality(others: number): VideoQuality {
  const share = UPLINK / Math.max(others, 1);
  return {
    maxBitrate: Math.round(Math.min(BEST, Math.max(LEAST, share))),
    lines: others <= 1 ? 720 : others <= 2 ? 480 : others <= 5 ? 360 : 240,
  };
}

/** What one link of a mesh sends. */
export interface MeshQuality {
  readonly camera: VideoQuality;
  readonly screen: VideoQuality;
}

/** A screen is sent beside the cameras, for as long as it is shared. */
const SCREEN_UPLINK = 2_000_000;
const SCREEN_BEST = 1_500_000;
const SCREEN_LEAST = 250_000;

/** The quality of what is sent to each of `others` participants. */
export function meshQuality(others: number): MeshQuality {
  const share = Math.round(SCREEN_UPLINK / Math.max(others, 1));
  return {
    camera: videoQuality(others),
    screen: {
      maxBitrate: Math.min(SCREEN_BEST, Math.max(SCREEN_LEAST, share)),
      lines: others <= 2 ? 1080 : 720,
    },
  };
}

/** What a camera's track tells of its size; nothing until there is one. */
export type Size = Pick<MediaTrackSettings, "width" | "height">;

/** The layers' ids, from the smallest. */
const RIDS = ["q", "h", "f"] as const;

/** How many layers a picture of so many pixels is sent in at least: Chromium encodes no more of a smaller one. */
const LAYERS: readonly (readonly [pixels: number, count: number])[] = [
  [960 * 540, 3],
  [480 * 270, 2],
  [0, 1],
];

/** How much more each layer takes than the next smaller one, of half its lines. */
const STEP = 3.4;

/**
 * The layers of a camera for the media server, from the smallest, by the room's size and the
 * camera's. The largest one used is always the whole picture; a small picture leaves the last
 * unused, since Chromium would encode only the first ones.
 */
export function cameraLayers(others: number, size: Size = {}): RTCRtpEncodingParameters[] {
  const best = others <= 4 ? 1_700_000 : others <= 9 ? 1_200_000 : 900_000;
  const pixels = size.width && size.height ? size.width * size.height : 1280 * 720;
  const count = LAYERS.find(([least]) => pixels >= least)?.[1] ?? 1;
  const whole = best * Math.min(1, (pixels / (1280 * 720)) ** 0.75);
  return RIDS.map((rid, i) => {
    const smaller = Math.max(0, count - 1 - i);
    return {
      rid,
      active: i < count,
      scaleResolutionDownBy: 2 ** smaller,
      maxBitrate: Math.round(whole / STEP ** smaller),
    };
  });
}

/** A screen for the media server: one layer, whose letters stay sharp. */
export const SCREEN_LAYERS: readonly RTCRtpEncodingParameters[] = [
  { maxBitrate: 2_500_000, maxFramerate: 15 },
];

/** What of a video the media server passes on to anybody. */
export interface Wanted {
  readonly shown: boolean;
  /** The layers, by their ids; of a video without layers none. */
  readonly rids: readonly string[];
}

/** All that either of two wants. */
export function either(a: Wanted, b: Wanted): Wanted {
  return { shown: a.shown || b.shown, rids: [...new Set([...a.rids, ...b.rids])] };
}

/**
 * Gives each layer its bit rate and size, and stops those that are not used or that nobody wants; all
 * are wanted where nothing is known. A sender not negotiated yet, or gone, is left as it is.
 */
export async function applyLayers(
  sender: RTCRtpSender,
  layers: readonly RTCRtpEncodingParameters[],
  wanted: Wanted | undefined,
): Promise<void> {
  const parameters = sender.getParameters();
  let changed = false;
  for (const encoding of parameters.encodings ?? []) {
    const { rid } = encoding;
    const layer = layers.find((each) => each.rid === rid);
    const isWanted = !wanted || (wanted.shown && (!rid || wanted.rids.includes(rid)));
    const { maxBitrate, scaleResolutionDownBy } = { ...encoding, ...layer };
    const to = {
      active: isWanted && (layer?.active ?? true),
      ...(maxBitrate !== undefined && { maxBitrate }),
      ...(scaleResolutionDownBy !== undefined && { scaleResolutionDownBy }),
    };
    const is = { active: true, ...encoding };
    changed ||= Object.entries(to).some(([key, value]) => is[key as keyof typeof to] !== value);
    Object.assign(encoding, to);
  }
  if (changed) await set(sender, parameters);
}

/** By how much a picture of this size is to shrink; never below one. */
export function shrinkage(
  { width, height }: { width?: number; height?: number },
  lines: number,
): number {
  const shorter = Math.min(width ?? 0, height ?? 0);
  return Math.max(1, shorter / lines);
}

/** Applies it to a sender; one not negotiated yet, or gone, is left as it is. */
export async function applyQuality(sender: RTCRtpSender, quality: VideoQuality): Promise<void> {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding || !sender.track) return;
  const scale = shrinkage(sender.track.getSettings(), quality.lines);
  if (encoding.maxBitrate === quality.maxBitrate && encoding.scaleResolutionDownBy === scale) {
    return;
  }
  encoding.maxBitrate = quality.maxBitrate;
  encoding.scaleResolutionDownBy = scale;
  await set(sender, parameters);
}

async function set(sender: RTCRtpSender, parameters: RTCRtpSendParameters): Promise<void> {
  try {
    await sender.setParameters(parameters);
  } catch {
    // Applied again when the track, the link or the number of participants changes.
  }
}
