// The members of `getStats()` that the library reads (https://www.w3.org/TR/webrtc-stats/).
// TypeScript's own types lack about half of them.

/** Any entry of a report. Members that a browser does not report are absent. */
export interface RtcStats {
  readonly type: string;
  readonly kind?: string;

  // inbound-rtp, outbound-rtp and what they refer to
  readonly trackIdentifier?: string;
  readonly mediaSourceId?: string;
  readonly codecId?: string;
  readonly mimeType?: string;
  readonly remoteId?: string;
  readonly bytesReceived?: number;
  readonly bytesSent?: number;
  readonly packetsReceived?: number;
  readonly packetsSent?: number;
  readonly retransmittedPacketsSent?: number;
  readonly packetsLost?: number;
  readonly nackCount?: number;
  /** In seconds. */
  readonly jitter?: number;
  readonly concealedSamples?: number;
  readonly totalSamplesReceived?: number;
  readonly qualityLimitationReason?: "none" | "cpu" | "bandwidth" | "other";

  // video
  readonly framesDecoded?: number;
  readonly framesEncoded?: number;
  readonly framesDropped?: number;
  readonly framesPerSecond?: number;
  /** In seconds, over all encoded frames. */
  readonly totalEncodeTime?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  /** Of a media source. */
  readonly height?: number;
  readonly scalabilityMode?: string;
  readonly freezeCount?: number;
  /** In seconds. */
  readonly totalFreezesDuration?: number;
  /** In seconds, over all emitted frames. */
  readonly jitterBufferDelay?: number;
  readonly jitterBufferEmittedCount?: number;

  // transport, candidate-pair and candidates
  readonly selectedCandidatePairId?: string;
  /** Firefox only; other browsers name the selected pair in the transport. */
  readonly selected?: boolean;
  /** In seconds. */
  readonly currentRoundTripTime?: number;
  /** Bits per second; Chromium only. */
  readonly availableOutgoingBitrate?: number;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
  readonly protocol?: string;
  readonly relayProtocol?: string;
}

export type RtcStatsReport = ReadonlyMap<string, RtcStats>;

/** Reads a peer connection's statistics; null if it is closed or the browser has none. */
export async function statsOf(peer: RTCPeerConnection): Promise<RtcStatsReport | null> {
  try {
    return (await peer.getStats()) as unknown as RtcStatsReport;
  } catch {
    return null;
  }
}
