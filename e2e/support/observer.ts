// What runs in every page before its own script, so that tests can see what users see and what WebRTC does.

/** Kinds of ICE servers, so that a test can leave only some of them. */
export type IceKind = "stun" | "turn-udp" | "turn-tcp" | "turn-tls";

export interface ObserverOptions {
  /** The ICE servers left to the page; all of them otherwise. */
  ice?: IceKind[];
  /** Media may only take the way through a TURN server. */
  relayOnly?: boolean;
  /** The camera gives a small picture, so that a small machine encodes for many. */
  camera?: "small" | "tiny";
  /** What the page sends of pictures is encoded by this codec alone, as `VP9`. */
  codec?: string;
  /** The camera is sent as one stream of several layers, as `L3T3_KEY`. */
  scalabilityMode?: string;
}

/** A tile that came into or went out of the document. */
export interface TileChange {
  change: "added" | "removed";
  participant: string;
  name: string;
  /** Milliseconds since 1970, the same clock for all pages of a machine. */
  at: number;
}

export interface Observed {
  peers: { connection: RTCPeerConnection; states: string[]; candidates: string[] }[];
  tiles: TileChange[];
  clicks: { testId: string; at: number }[];
  violations: string[];
}

declare global {
  interface Window {
    observed: Observed;
  }
}

/** Self-contained: it is sent to the page as text. */
export function observe(options: ObserverOptions): void {
  const observed: Observed = { peers: [], tiles: [], clicks: [], violations: [] };
  window.observed = observed;
  const now = () => performance.timeOrigin + performance.now();

  document.addEventListener("securitypolicyviolation", (event) => {
    observed.violations.push(
      `${event.violatedDirective} blocked ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`,
    );
  });

  const clicked = (event: Event) => {
    const control = event.target instanceof Element ? event.target.closest("[data-testid]") : null;
    if (control)
      observed.clicks.push({ testId: control.getAttribute("data-testid") ?? "", at: now() });
  };
  window.addEventListener("click", clicked, { capture: true });

  const note = (change: TileChange["change"], node: Node) => {
    if (!(node instanceof Element)) return;
    const inside = node.querySelectorAll("[data-testid=tile]");
    for (const tile of node.matches("[data-testid=tile]") ? [node, ...inside] : inside) {
      const participant = tile.getAttribute("data-participant") ?? "";
      observed.tiles.push({
        change,
        participant,
        name: tile.getAttribute("data-name") ?? "",
        at: now(),
      });
    }
  };
  new MutationObserver((mutations) => {
    for (const mutation of mutations) {
      for (const node of mutation.removedNodes) note("removed", node);
      for (const node of mutation.addedNodes) note("added", node);
    }
  }).observe(document, { childList: true, subtree: true });

  // A page before any other has no devices.
  if (options.camera && navigator.mediaDevices) {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const [width, height] = options.camera === "small" ? [640, 360] : [320, 180];
    const video = { width, height, frameRate: 15 };
    navigator.mediaDevices.getUserMedia = (wanted) => {
      return real(wanted?.video ? { ...wanted, video } : wanted);
    };
  }

  const kindOf = (url: string): IceKind => {
    if (url.startsWith("stun")) return "stun";
    if (url.startsWith("turns:")) return "turn-tls";
    return url.includes("transport=tcp") ? "turn-tcp" : "turn-udp";
  };
  const kept = (configuration?: RTCConfiguration): RTCConfiguration | undefined => {
    const keep = options.ice;
    if (options.relayOnly) configuration = { ...configuration, iceTransportPolicy: "relay" };
    if (!keep || !configuration?.iceServers) return configuration;
    const iceServers = configuration.iceServers
      .map((server) => ({
        ...server,
        urls: [server.urls].flat().filter((url) => keep.includes(kindOf(url))),
      }))
      .filter((server) => server.urls.length > 0);
    return { ...configuration, iceServers };
  };

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(kept(configuration));
      const states: string[] = [];
      const candidates: string[] = [];
      observed.peers.push({ connection: this, states, candidates });
      this.addEventListener("connectionstatechange", () => states.push(this.connectionState));
      this.addEventListener("icecandidate", (event) => {
        if (event.candidate?.candidate) candidates.push(event.candidate.candidate);
      });
    }
    override addTransceiver(
      trackOrKind: MediaStreamTrack | string,
      init?: RTCRtpTransceiverInit,
    ): RTCRtpTransceiver {
      const { codec, scalabilityMode } = options;
      // Of these Chromium sends several sizes only where it is told the mode of each.
      const needsMode = codec === "VP9" || codec === "AV1";
      const asked = init?.sendEncodings;
      const isCamera = asked?.some(({ rid }) => rid);
      const sendEncodings =
        isCamera && scalabilityMode
          ? [{ scalabilityMode, maxBitrate: 2_000_000 }]
          : asked?.map((encoding) =>
              needsMode && encoding.rid ? { ...encoding, scalabilityMode: "L1T1" } : encoding,
            );
      const transceiver = super.addTransceiver(
        trackOrKind,
        sendEncodings ? { ...init, sendEncodings } : init,
      );
      if (codec && (trackOrKind === "video" || transceiver.sender.track?.kind === "video")) {
        const all = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
        const wanted = [`video/${codec}`, "video/rtx"];
        transceiver.setCodecPreferences(all.filter(({ mimeType }) => wanted.includes(mimeType)));
      }
      return transceiver;
    }
    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(kept(configuration));
    }
  };
}
