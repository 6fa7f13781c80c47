// Progress of each received track, which shows that a new link really delivers media.
import { type RtcStatsReport, statsOf } from "./rtc-stats.ts";

/**
 * By track: frames decoded of a video, packets received of audio. Ids of tracks are those that the
 * sender of the offer gave, so two links to the media server have the same ones.
 */
export type Counters = ReadonlyMap<MediaStreamTrack, number>;

/** Reads the counters of a peer connection; none once it is closed. */
export async function countersOf(peer: RTCPeerConnection): Promise<Counters> {
  const report = await statsOf(peer);
  const tracks = new Map(peer.getReceivers().map(({ track }) => [track.id, track]));
  return report ? countersIn(report, tracks) : new Map();
}

function countersIn(
  report: RtcStatsReport,
  tracks: ReadonlyMap<string, MediaStreamTrack>,
): Counters {
  const counters = new Map<MediaStreamTrack, number>();
  for (const { type, kind, trackIdentifier, framesDecoded, packetsReceived } of report.values()) {
    const track = type === "inbound-rtp" ? tracks.get(trackIdentifier ?? "") : undefined;
    if (track) counters.set(track, (kind === "video" ? framesDecoded : packetsReceived) ?? 0);
  }
  return counters;
}
