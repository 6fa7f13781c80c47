// How much of each received track has come in: what tells that a new link really brings something.

/** By the track's id: frames decoded of a video, packets received of an audio. */
export type Counters = ReadonlyMap<string, number>;

/** Asks the browser. */
export async function countersOf(peer: RTCPeerConnection): Promise<Counters> {
  try {
    return countersIn(await peer.getStats());
  } catch {
    return new Map(); // closed meanwhile
  }
}

/** What a report says (https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict*). */
export function countersIn(report: RTCStatsReport): Counters {
  const counters = new Map<string, number>();
  report.forEach((entry: RTCInboundRtpStreamStats) => {
    if (entry.type !== "inbound-rtp" || !entry.trackIdentifier) return;
    const came = entry.kind === "video" ? entry.framesDecoded : entry.packetsReceived;
    counters.set(entry.trackIdentifier, came ?? 0);
  });
  return counters;
}
