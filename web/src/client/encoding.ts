// How much a participant sends: in a mesh it encodes and uploads once for each other.

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
  try {
    await sender.setParameters(parameters);
  } catch {
    // Applied again when the track, the link or the number of participants changes.
  }
}
