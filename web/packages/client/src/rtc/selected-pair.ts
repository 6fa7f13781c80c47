// The candidate pair that carries a connection, and its transport.
import type { RtcStats, RtcStatsReport } from "./rtc-stats.ts";

export function selectedPair(report: RtcStatsReport): RtcStats | undefined {
  const all = [...report.values()];
  const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  // Firefox marks the pair itself.
  return (
    (id === undefined ? undefined : report.get(id)) ??
    all.find(({ type, selected }) => type === "candidate-pair" && selected)
  );
}

/** Transport of the pair. */
export interface PairTransport {
  readonly isRelayed: boolean;
  /** Of the first hop. */
  readonly protocol: string;
}

export function transportOf(report: RtcStatsReport, pair: RtcStats | undefined): PairTransport {
  const local = report.get(pair?.localCandidateId ?? "");
  const remote = report.get(pair?.remoteCandidateId ?? "");
  return {
    isRelayed: local?.candidateType === "relay" || remote?.candidateType === "relay",
    protocol: local?.relayProtocol ?? local?.protocol ?? "udp",
  };
}
