// Transceivers of a link, by source.
import type { PerSource, Source } from "./source.ts";

export type Transceivers = PerSource<RTCRtpTransceiver>;

/** The members of a transceiver that identify its source. */
interface TransceiverLike {
  readonly mid: string | null;
  readonly currentDirection?: RTCRtpTransceiverDirection | null;
  readonly receiver: { readonly track: { readonly kind: string } };
}

/** Sources of each kind, in the order of their media sections in the SDP of a mesh link. */
const ORDER: Readonly<Record<string, readonly Source[]>> = {
  audio: ["microphone", "screen_audio"],
  video: ["camera", "screen"],
};

/**
 * Maps the negotiated transceivers of a mesh link to sources: the first of each kind is microphone
 * and camera, the second, once a screen was shared, is the screen and its audio.
 */
export function transceiversBySource<T extends TransceiverLike>(
  transceivers: readonly T[],
): PerSource<T> {
  const bySource: PerSource<T> = {};
  for (const [kind, sources] of Object.entries(ORDER)) {
    const ofKind = transceivers.filter(
      ({ mid, currentDirection, receiver }) =>
        mid !== null && currentDirection !== "stopped" && receiver.track.kind === kind,
    );
    sources.forEach((source, i) => {
      const transceiver = ofKind[i];
      if (transceiver) bySource[source] = transceiver;
    });
  }
  return bySource;
}

/** Replaces the track of a sender unless it is the same; null stops sending. */
export async function replaceTrack(
  sender: RTCRtpSender,
  track: MediaStreamTrack | null,
): Promise<void> {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The link is closed or the track has ended; the owner of either reports that.
  }
}
