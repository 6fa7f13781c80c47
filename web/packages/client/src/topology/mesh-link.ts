// Link to one other participant in a mesh.
import type { ConnectionState } from "../api.ts";
import type { IceServer } from "../protocol.ts";
import { type Counters, countersOf } from "../rtc/counters.ts";
import { applyQuality, type MeshQuality } from "../rtc/encoding.ts";
import type { Signal } from "../rtc/negotiation.ts";
import { PeerLink } from "../rtc/peer-link.ts";
import type { RtcPlatform } from "../rtc/platform.ts";
import {
  entriesOf,
  kindOf,
  type MediaRights,
  type ReceivedTracks,
  SOURCES,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import { replaceTrack, type Transceivers, transceiversBySource } from "../rtc/transceivers.ts";

/** Time the polite end waits for the other end's first offer before it makes its own. */
const FIRST_OFFER_TIMEOUT_MS = 2_000;

export interface MeshLinkOptions extends RtcPlatform {
  /**
   * The polite end waits for the first offer of the other end, which opens the link. A client with
   * nothing to send may never offer; the polite end then does so after a timeout.
   */
  polite: boolean;
  iceServers: readonly IceServer[];
  tracks: Tracks;
  quality: MeshQuality;
  rights: MediaRights;
  receivesVideo: boolean;
  send: (signal: Signal) => void;
  /** The connection state or the received tracks have changed. */
  onChange: () => void;
}

/**
 * Carries the tracks of both participants. The first offer of this end always has media sections
 * for microphone and camera, so that muting and changing devices never negotiate. A section that
 * the other end's offer lacks is added with the first track for it. The sections of a screen are
 * added when either end first shares one, and are used in both directions from then on.
 */
export class MeshLink {
  readonly #options: MeshLinkOptions;
  readonly #link: PeerLink;
  /** Stream ids (`msid`) that group the tracks for other clients. */
  readonly #cameraStream: MediaStream;
  readonly #screenStream: MediaStream;
  #transceivers: Transceivers = {};
  #received: ReceivedTracks = {};
  #unplayable: readonly Source[] = [];
  #tracks: Tracks;
  #quality: MeshQuality;
  #rights: MediaRights;
  #receivesVideo: boolean;
  #firstOfferTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MeshLinkOptions) {
    const { createPeer, createStream, polite, iceServers, send } = options;
    this.#options = options;
    this.#cameraStream = createStream([]);
    this.#screenStream = createStream([]);
    this.#tracks = options.tracks;
    this.#quality = options.quality;
    this.#rights = options.rights;
    this.#receivesVideo = options.receivesVideo;
    this.#link = new PeerLink({
      createPeer,
      polite,
      opens: !polite,
      iceServers,
      send,
      onCreated: (peer) => this.#peerCreated(peer),
      adopt: (peer) => this.#adopt(peer),
      onStateChange: (_, state) => {
        options.onChange();
        if (state === "connected") void this.#applyQuality();
      },
    });
  }

  get connection(): ConnectionState {
    return this.#link.connection;
  }

  /** Tracks of the other end; the same object until they change. */
  get received(): ReceivedTracks {
    return this.#received;
  }

  /** Sources whose section was rejected, since the two ends have no codec in common. */
  get unplayable(): readonly Source[] {
    return this.#unplayable;
  }

  get peer(): RTCPeerConnection {
    return this.#link.peer;
  }

  handle(signal: Signal): Promise<void> {
    return this.#link.handle(signal);
  }

  /** Replaces the tracks that are sent. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#sendTracks();
  }

  setQuality(quality: MeshQuality): void {
    this.#quality = quality;
    void this.#applyQuality();
  }

  /** Renegotiates the direction of the videos, so that the other end stops sending, or resumes. */
  setReceivesVideo(receivesVideo: boolean): void {
    this.#receivesVideo = receivesVideo;
    this.#renegotiateDirections();
  }

  /**
   * Renegotiates the directions. The server takes from descriptions what this end has no right to,
   * so one that was given the right has to offer again.
   */
  setRights(rights: MediaRights): void {
    this.#rights = rights;
    this.#renegotiateDirections();
  }

  #renegotiateDirections(): void {
    for (const [source, transceiver] of entriesOf(this.#transceivers)) {
      if (isStopped(transceiver)) continue;
      const direction = this.#directionOf(source);
      if (transceiver.direction !== direction) transceiver.direction = direction;
    }
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#link.setIceServers(iceServers);
  }

  restart(): void {
    this.#link.restart();
  }

  restartUnlessConnected(): void {
    this.#link.restartUnlessConnected();
  }

  /** Current audio level of the other end's microphone, 0 to 1. */
  level(): number {
    const source = this.#transceivers.microphone?.receiver.getSynchronizationSources?.()[0];
    return source?.audioLevel ?? 0;
  }

  /** Progress of each received track. */
  counters(): Promise<Counters> {
    return countersOf(this.peer);
  }

  close(): void {
    clearTimeout(this.#firstOfferTimer);
    this.#link.close();
  }

  #peerCreated(peer: RTCPeerConnection): void {
    this.#transceivers = {};
    this.#unplayable = [];
    clearTimeout(this.#firstOfferTimer);
    peer.addEventListener("signalingstatechange", () => {
      if (peer === this.peer && peer.signalingState === "stable") this.#negotiated();
    });
    if (this.#options.polite) {
      this.#firstOfferTimer = setTimeout(() => {
        this.#open(peer);
        this.#options.onChange();
      }, FIRST_OFFER_TIMEOUT_MS);
    } else {
      this.#open(peer);
    }
  }

  /** Offers microphone and camera. */
  #open(peer: RTCPeerConnection): void {
    this.#addTransceivers(peer, ["microphone", "camera"]);
    void this.#sendTracks(peer);
  }

  /** Uses the transceivers of the other end's offer for this end's tracks. */
  async #adopt(peer: RTCPeerConnection): Promise<void> {
    const offered = transceiversBySource(peer.getTransceivers());
    // An offer without media may be for a data channel; this end still offers its own sections.
    if (entriesOf(offered).length === 0) return;
    clearTimeout(this.#firstOfferTimer);
    for (const [source, transceiver] of entriesOf(offered)) {
      const direction = this.#directionOf(source);
      if (transceiver.direction !== direction) transceiver.direction = direction;
      transceiver.sender.setStreams?.(this.#streamOf(source));
      const own = this.#transceivers[source];
      // Both ends shared a screen at the same time: the offered transceiver serves both.
      if (own && own !== transceiver && own.mid === null) own.stop();
    }
    this.#setTransceivers({ ...this.#transceivers, ...offered });
    this.#options.onChange();
    await this.#sendTracks(peer);
  }

  #addTransceivers(peer: RTCPeerConnection, sources: readonly Source[]): void {
    const added = sources.map((source) => {
      const init = { direction: this.#directionOf(source), streams: [this.#streamOf(source)] };
      return [source, peer.addTransceiver(kindOf(source), init)] as const;
    });
    this.#setTransceivers({ ...this.#transceivers, ...Object.fromEntries(added) });
  }

  #directionOf(source: Source): RTCRtpTransceiverDirection {
    const isWanted = kindOf(source) !== "video" || this.#receivesVideo;
    const receives = this.#rights.receives && isWanted;
    if (!this.#rights.sends.includes(source)) return receives ? "recvonly" : "inactive";
    return receives ? "sendrecv" : "sendonly";
  }

  #streamOf(source: Source): MediaStream {
    return source === "microphone" || source === "camera" ? this.#cameraStream : this.#screenStream;
  }

  #setTransceivers(transceivers: Transceivers): void {
    if (SOURCES.every((source) => this.#transceivers[source] === transceivers[source])) return;
    this.#transceivers = transceivers;
    this.#updateReceived();
  }

  /** An answer is in effect: transceivers of rejected sections are stopped (RFC 9429 §5.11). */
  #negotiated(): void {
    const rejected = Object.values(this.#transceivers).filter(isStopped);
    if (rejected.length === this.#unplayable.length) return;
    this.#updateReceived();
    this.#options.onChange();
  }

  #updateReceived(): void {
    const entries = entriesOf(this.#transceivers);
    this.#unplayable = entries.filter(([, each]) => isStopped(each)).map(([source]) => source);
    this.#received = Object.fromEntries(
      entries
        .filter(([, transceiver]) => !isStopped(transceiver))
        .map(([source, transceiver]) => [source, transceiver.receiver.track]),
    );
  }

  async #sendTracks(peer: RTCPeerConnection = this.peer): Promise<void> {
    if (entriesOf(this.#transceivers).length === 0) return;
    const missing = neededFor(this.#tracks).filter((source) => !this.#transceivers[source]);
    if (missing.length > 0) {
      this.#addTransceivers(peer, missing);
      this.#options.onChange();
    }
    await Promise.all(
      entriesOf(this.#transceivers).map(([source, { sender }]) =>
        replaceTrack(sender, this.#tracks[source]),
      ),
    );
    await this.#applyQuality();
  }

  async #applyQuality(): Promise<void> {
    const { camera, screen } = this.#transceivers;
    if (camera) await applyQuality(camera.sender, this.#quality.camera);
    if (screen) await applyQuality(screen.sender, this.#quality.screen);
  }
}

/** One end rejected the section, having none of its codecs. */
function isStopped(transceiver: RTCRtpTransceiver): boolean {
  return transceiver.currentDirection === "stopped";
}

/** Sources that need a section. A screen needs all, as it is recognized by coming second. */
function neededFor(tracks: Tracks): readonly Source[] {
  if (tracks.screen) return SOURCES;
  return SOURCES.filter((source) => tracks[source] !== null);
}
