// Bitrate and resolution of sent video. A mesh encodes and uploads once per remote participant, a
// link to the media server once in several simulcast layers.

import type { SendLimit } from "../api.ts";

/** Limits of one sent video. */
export interface VideoQuality {
  /** Bits per second. */
  readonly maxBitrate: number;
  /** Pixels along the shorter side. */
  readonly maxHeight: number;
}

/** Budget of all cameras together in a mesh, bits per second: an average home uplink. */
const CAMERA_UPLINK_BPS = 2_400_000;
const CAMERA_MAX_BPS = 1_700_000;
const CAMERA_MIN_BPS = 150_000;

/** Quality of the camera sent to each of `others` participants. */
export function cameraQuality(others: number): VideoQuality {
  const share = CAMERA_UPLINK_BPS / Math.max(others, 1);
  return {
    maxBitrate: Math.round(Math.min(CAMERA_MAX_BPS, Math.max(CAMERA_MIN_BPS, share))),
    maxHeight: others <= 1 ? 720 : others <= 2 ? 480 : others <= 5 ? 360 : 240,
  };
}

/** Quality of the videos on one mesh link. */
export interface MeshQuality {
  readonly camera: VideoQuality;
  readonly screen: VideoQuality;
}

/** Budget of a shared screen, in addition to the cameras. */
const SCREEN_UPLINK_BPS = 2_000_000;
const SCREEN_MAX_BPS = 1_500_000;
const SCREEN_MIN_BPS = 250_000;

/** The most that a camera is sent with. */
const SEND_LIMITS: Readonly<Record<SendLimit, VideoQuality>> = {
  auto: { maxBitrate: Number.POSITIVE_INFINITY, maxHeight: Number.POSITIVE_INFINITY },
  low: { maxBitrate: 500_000, maxHeight: 360 },
  saver: { maxBitrate: 150_000, maxHeight: 180 },
};

/** Quality of each of `others` mesh links. */
export function meshQuality(others: number, limit: SendLimit = "auto"): MeshQuality {
  const share = Math.round(SCREEN_UPLINK_BPS / Math.max(others, 1));
  const camera = cameraQuality(others);
  return {
    camera: {
      maxBitrate: Math.min(camera.maxBitrate, SEND_LIMITS[limit].maxBitrate),
      maxHeight: Math.min(camera.maxHeight, SEND_LIMITS[limit].maxHeight),
    },
    screen: {
      maxBitrate: Math.min(SCREEN_MAX_BPS, Math.max(SCREEN_MIN_BPS, share)),
      maxHeight: others <= 2 ? 1080 : 720,
    },
  };
}

/** Resolution of a camera track; empty without a track. */
export type Resolution = Pick<MediaTrackSettings, "width" | "height">;

/** Encoding ids, from the lowest layer. */
const RIDS = ["q", "h", "f"] as const;

const FULL_HEIGHT = 720;
const FULL_PIXELS = 1280 * FULL_HEIGHT;

/** Bitrate grows with this power of the number of pixels. */
const BITRATE_EXPONENT = 0.75;

/** Bitrate of the top layer at full resolution, by the number of remote participants. */
function topLayerBitrate(others: number): number {
  return others <= 4 ? 1_700_000 : others <= 9 ? 1_200_000 : 900_000;
}

/** Number of layers by resolution. Chromium encodes no more for smaller frames. */
const LAYER_COUNTS: readonly { readonly minPixels: number; readonly count: number }[] = [
  { minPixels: 960 * 540, count: 3 },
  { minPixels: 480 * 270, count: 2 },
  { minPixels: 0, count: 1 },
];

/** Bitrate ratio of a layer to the next lower one, which has half its height. */
const LAYER_BITRATE_RATIO = 3.4;

/**
 * Simulcast layers of a camera, from the lowest, for a room of `others` participants. The highest
 * active layer has the full resolution. A small frame leaves the last layers inactive, since
 * Chromium would encode only the first ones. So does a limit: it never deactivates the lowest.
 */
export function cameraLayers(
  others: number,
  resolution: Resolution = {},
  limit: SendLimit = "auto",
): RTCRtpEncodingParameters[] {
  const { width, height } = resolution;
  const pixels = width && height ? width * height : FULL_PIXELS;
  const count = LAYER_COUNTS.find(({ minPixels }) => pixels >= minPixels)?.count ?? 1;
  const fraction = Math.min(1, (pixels / FULL_PIXELS) ** BITRATE_EXPONENT);
  return RIDS.map((rid, i) => {
    const stepsBelowTop = Math.max(0, count - 1 - i);
    const layerHeight = Math.min(width ?? FULL_HEIGHT, height ?? FULL_HEIGHT) / 2 ** stepsBelowTop;
    return {
      rid,
      active: i < count && (i === 0 || layerHeight <= SEND_LIMITS[limit].maxHeight),
      scaleResolutionDownBy: 2 ** stepsBelowTop,
      maxBitrate: Math.round(
        (topLayerBitrate(others) * fraction) / LAYER_BITRATE_RATIO ** stepsBelowTop,
      ),
    };
  });
}

/** A shared screen to the media server: one layer, so that text stays sharp. */
export const SCREEN_LAYERS: readonly RTCRtpEncodingParameters[] = [
  { maxBitrate: 2_500_000, maxFramerate: 15 },
];

/** Encodings of one video that the media server forwards to any subscriber (dynacast). */
export interface SubscribedEncodings {
  readonly shown: boolean;
  /** Ids of the simulcast layers; empty for a video without layers. */
  readonly rids: readonly string[];
}

/** The encodings in either of two subscriptions. */
export function unionOf(a: SubscribedEncodings, b: SubscribedEncodings): SubscribedEncodings {
  return { shown: a.shown || b.shown, rids: [...new Set([...a.rids, ...b.rids])] };
}

/**
 * Sets bitrate and scale of each layer, and deactivates layers that are unused or without
 * subscriber; without `subscribed` all have subscribers. A sender that is not negotiated yet, or
 * closed, is left alone.
 */
export async function applyLayers(
  sender: RTCRtpSender,
  layers: readonly RTCRtpEncodingParameters[],
  subscribed: SubscribedEncodings | undefined,
): Promise<void> {
  const parameters = sender.getParameters();
  let changed = false;
  for (const encoding of parameters.encodings ?? []) {
    const { rid } = encoding;
    const layer = layers.find((each) => each.rid === rid);
    const isSubscribed =
      !subscribed || (subscribed.shown && (!rid || subscribed.rids.includes(rid)));
    const { maxBitrate, scaleResolutionDownBy } = { ...encoding, ...layer };
    const target = {
      active: isSubscribed && (layer?.active ?? true),
      ...(maxBitrate !== undefined && { maxBitrate }),
      ...(scaleResolutionDownBy !== undefined && { scaleResolutionDownBy }),
    };
    const current = { active: true, ...encoding };
    changed ||= Object.entries(target).some(
      ([key, value]) => current[key as keyof typeof target] !== value,
    );
    Object.assign(encoding, target);
  }
  if (changed) await setParameters(sender, parameters);
}

/** `scaleResolutionDownBy` that keeps the shorter side within `maxHeight`; at least 1. */
export function downscaleFor({ width, height }: Resolution, maxHeight: number): number {
  const shorterSide = Math.min(width ?? 0, height ?? 0);
  return Math.max(1, shorterSide / maxHeight);
}

/** Applies a quality to a sender; one that is not negotiated yet, or closed, is left alone. */
export async function applyQuality(sender: RTCRtpSender, quality: VideoQuality): Promise<void> {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding || !sender.track) return;
  const scale = downscaleFor(sender.track.getSettings(), quality.maxHeight);
  if (encoding.maxBitrate === quality.maxBitrate && encoding.scaleResolutionDownBy === scale) {
    return;
  }
  encoding.maxBitrate = quality.maxBitrate;
  encoding.scaleResolutionDownBy = scale;
  await setParameters(sender, parameters);
}

async function setParameters(
  sender: RTCRtpSender,
  parameters: RTCRtpSendParameters,
): Promise<void> {
  try {
    await sender.setParameters(parameters);
  } catch {
    // Applied again when the track, the link or the number of participants changes.
  }
}
