// Progress of each received track, which shows that a new link really delivers media.
import { type RtcStatsReport, statsOf } from "./rtc-stats.ts";

/** By track id: frames decoded of a video, packets received of audio. */
export type Counters = ReadonlyMap<string, number>;

/** Reads the counters of a peer connection; none once it is closed. */
export async function countersOf(peer: RTCPeerConnection): Promise<Counters> {
  const report = await statsOf(peer);
  return report ? countersIn(report) : new Map();
}

function countersIn(report: RtcStatsReport): Counters {
  const counters = new Map<string, number>();
  for (const { type, kind, trackIdentifier, framesDecoded, packetsReceived } of report.values()) {
    if (type !== "inbound-rtp" || !trackIdentifier) continue;
    counters.set(trackIdentifier, (kind === "video" ? framesDecoded : packetsReceived) ?? 0);
  }
  return counters;
}
