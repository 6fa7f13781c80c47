// Script that runs in every page before its own: it records tiles, clicks, CSP violations and peer
// connections, and applies test options to them.

/** Kinds of ICE servers, of which a test may keep only some. */
export type IceKind = "stun" | "turn-udp" | "turn-tcp" | "turn-tls";

export interface ObserverOptions {
  /** ICE servers that the page may use; defaults to all. */
  ice?: IceKind[];
  /** Restricts media to TURN (`iceTransportPolicy: "relay"`). */
  relayOnly?: boolean;
  /** Reduces the camera's resolution, so that a small machine can encode for many. */
  camera?: "small" | "tiny";
  /** Restricts sent video to one codec, for example `VP9`. */
  codec?: string;
  /** Sends the camera as one SVC stream, for example `L3T3_KEY`, instead of simulcast. */
  scalabilityMode?: string;
}

/** A tile that was added to or removed from the document. */
export interface TileChange {
  change: "added" | "removed";
  participant: string;
  name: string;
  /** Milliseconds since 1970, on the clock shared by all pages of a machine. */
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

  const onClick = (event: Event) => {
    const control = event.target instanceof Element ? event.target.closest("[data-testid]") : null;
    if (control)
      observed.clicks.push({ testId: control.getAttribute("data-testid") ?? "", at: now() });
  };
  window.addEventListener("click", onClick, { capture: true });

  const recordTiles = (change: TileChange["change"], node: Node) => {
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
      for (const node of mutation.removedNodes) recordTiles("removed", node);
      for (const node of mutation.addedNodes) recordTiles("added", node);
    }
  }).observe(document, { childList: true, subtree: true });

  // `about:blank` has no media devices.
  if (options.camera && navigator.mediaDevices) {
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const size =
      options.camera === "small" ? { width: 640, height: 360 } : { width: 320, height: 180 };
    const video = { ...size, frameRate: 15 };
    navigator.mediaDevices.getUserMedia = (constraints) => {
      return getUserMedia(constraints?.video ? { ...constraints, video } : constraints);
    };
  }

  const kindOf = (url: string): IceKind => {
    if (url.startsWith("stun")) return "stun";
    if (url.startsWith("turns:")) return "turn-tls";
    return url.includes("transport=tcp") ? "turn-tcp" : "turn-udp";
  };
  const restrict = (configuration?: RTCConfiguration): RTCConfiguration | undefined => {
    const allowed = options.ice;
    if (options.relayOnly) configuration = { ...configuration, iceTransportPolicy: "relay" };
    if (!allowed || !configuration?.iceServers) return configuration;
    const iceServers = configuration.iceServers
      .map((server) => ({
        ...server,
        urls: [server.urls].flat().filter((url) => allowed.includes(kindOf(url))),
      }))
      .filter((server) => server.urls.length > 0);
    return { ...configuration, iceServers };
  };

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(restrict(configuration));
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
      // Chromium sends simulcast of these codecs only if every encoding has a scalability mode.
      const needsMode = codec === "VP9" || codec === "AV1";
      const requested = init?.sendEncodings;
      const isCamera = requested?.some(({ rid }) => rid);
      const sendEncodings =
        isCamera && scalabilityMode
          ? [{ scalabilityMode, maxBitrate: 2_000_000 }]
          : requested?.map((encoding) =>
              needsMode && encoding.rid ? { ...encoding, scalabilityMode: "L1T1" } : encoding,
            );
      const transceiver = super.addTransceiver(
        trackOrKind,
        sendEncodings ? { ...init, sendEncodings } : init,
      );
      if (codec && (trackOrKind === "video" || transceiver.sender.track?.kind === "video")) {
        const supported = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
        const types = [`video/${codec}`, "video/rtx"];
        transceiver.setCodecPreferences(
          supported.filter(({ mimeType }) => types.includes(mimeType)),
        );
      }
      return transceiver;
    }
    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(restrict(configuration));
    }
  };
}
