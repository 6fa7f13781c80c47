// Snapshot of a page: its tiles and the getStats of each peer connection.

export interface CandidateEnd {
  /** host, srflx, prflx or relay. */
  type: string;
  /** Transport protocol between the two candidates. */
  protocol: string;
  /** Transport protocol to the TURN server of a relay candidate: udp, tcp or tls. */
  relayProtocol?: string;
  address?: string;
  port?: number;
}

export interface Inbound {
  kind: "audio" | "video";
  track: string;
  codec?: string;
  framesDecoded: number;
  packetsReceived: number;
  audioEnergy: number;
}

export interface ConnectionReport {
  state: string;
  /** All connection states so far. */
  states: string[];
  /** Gathered candidates. */
  candidates: string[];
  iceServers: string[];
  selected?: { local: CandidateEnd; remote: CandidateEnd };
  inbound: Inbound[];
}

export interface TileReport {
  participant: string;
  name: string;
  self: boolean;
  connection: string;
  /** Width of the video; 0 before the first frame. */
  videoWidth: number;
  /** Ids of the video tracks that the tile shows. */
  videoTracks: string[];
  /** Ids of the audio tracks that the tile plays. */
  audioTracks: string[];
}

export interface PageReport {
  connections: ConnectionReport[];
  tiles: TileReport[];
}

/** Self-contained: it is sent to the page as text. */
export async function report(): Promise<PageReport> {
  const connections: ConnectionReport[] = [];
  for (const { connection, states, candidates } of window.observed.peers) {
    if (connection.signalingState === "closed") continue;
    // biome-ignore lint/suspicious/noExplicitAny: lib.dom has no types for most statistics.
    const stats = new Map<string, any>();
    for (const [id, entry] of await connection.getStats()) stats.set(id, entry);
    const entries = [...stats.values()];

    const transport = entries.find((entry) => entry.type === "transport");
    const pair =
      stats.get(transport?.selectedCandidatePairId) ??
      // Firefox marks the pair itself.
      entries.find((entry) => entry.type === "candidate-pair" && entry.selected);
    const end = (id: string): CandidateEnd => {
      const candidate = stats.get(id) ?? {};
      return {
        type: candidate.candidateType,
        protocol: candidate.protocol,
        relayProtocol: candidate.relayProtocol,
        address: candidate.address,
        port: candidate.port,
      };
    };
    connections.push({
      state: connection.connectionState,
      states: [...states],
      candidates: [...candidates],
      iceServers: (connection.getConfiguration().iceServers ?? []).flatMap((server) => server.urls),
      selected: pair
        ? { local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) }
        : undefined,
      inbound: entries
        .filter((entry) => entry.type === "inbound-rtp")
        .map((entry) => ({
          kind: entry.kind,
          track: entry.trackIdentifier ?? "",
          codec: stats.get(entry.codecId)?.mimeType,
          framesDecoded: entry.framesDecoded ?? 0,
          packetsReceived: entry.packetsReceived ?? 0,
          audioEnergy: entry.totalAudioEnergy ?? 0,
        })),
    });
  }

  const tiles = [...document.querySelectorAll("[data-testid=tile]")].map((tile): TileReport => {
    const video = tile.querySelector("video");
    const stream = video?.srcObject instanceof MediaStream ? video.srcObject : undefined;
    return {
      participant: tile.getAttribute("data-participant") ?? "",
      name: tile.getAttribute("data-name") ?? "",
      self: ["", "true"].includes(tile.getAttribute("data-self") ?? "false"),
      connection: tile.getAttribute("data-connection") ?? "",
      videoWidth: video?.videoWidth ?? 0,
      videoTracks: stream?.getVideoTracks().map((track) => track.id) ?? [],
      audioTracks: stream?.getAudioTracks().map((track) => track.id) ?? [],
    };
  });
  return { connections, tiles };
}
