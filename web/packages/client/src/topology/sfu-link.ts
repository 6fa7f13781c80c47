// Link to the media server: this device's tracks go up once, those of the others arrive in sections
// that the server offers and assigns to participants.
import type { ConnectionState, SendLimit } from "../api.ts";
import type { IceServer, ParticipantId, PublishedTrack, SubscribedTrack } from "../protocol.ts";
import { type Counters, countersOf } from "../rtc/counters.ts";
import {
  applyLayers,
  cameraLayers,
  SCREEN_LAYERS,
  type SubscribedEncodings,
  unionOf,
} from "../rtc/encoding.ts";
import type { Signal } from "../rtc/negotiation.ts";
import { PeerLink } from "../rtc/peer-link.ts";
import type { RtcPlatform } from "../rtc/platform.ts";
import { SerialQueue } from "../rtc/serial-queue.ts";
import {
  entriesOf,
  kindOf,
  type PerSource,
  SOURCES,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import { replaceTrack, type Transceivers } from "../rtc/transceivers.ts";
import type { Candidates } from "./succession.ts";

/** Time a simulcast layer is still sent after its last subscriber is gone. */
const UNSUBSCRIBE_DELAY_MS = 5_000;

/** Time to reach the media server directly before TURN relays are tried. */
const DIRECT_TIMEOUT_MS = 1_500;

export interface SfuLinkOptions extends RtcPlatform {
  /** Servers for the case that there is no direct path. */
  iceServers: readonly IceServer[];
  tracks: Tracks;
  /** Number of remote participants, which bounds the size of their tiles. */
  others: number;
  sendLimit: SendLimit;
  /** Announces the sources of the media sections in the offer that follows. */
  publish: (tracks: PublishedTrack[]) => void;
  send: (signal: Signal) => void;
  /** A new peer connection sent its first offer: the server knows no viewports of it yet. */
  onOffered: () => void;
  /** The connection state or the received tracks have changed. */
  onChange: () => void;
}

/** Sources with a media section from the first offer on. */
const INITIAL_SOURCES: readonly Source[] = ["microphone", "camera"];

/**
 * The browser is polite and opens the link. The first offer has sections for microphone and camera,
 * those of a screen are added when one is first shared; turning a source on or off never
 * negotiates. The first offer tells the server every payload type and header extension id of this
 * browser. An offer by the server before that could use conflicting numbers and be rejected.
 *
 * The link is direct at first, over UDP or TCP, and has no ICE servers. These run on the media
 * server's own address, and Chromium takes UDP packets from the address of a STUN or TURN server
 * for that server's, so it would never see the answer to a connectivity check.
 */
export class SfuLink {
  readonly #options: SfuLinkOptions;
  readonly #link: PeerLink;
  #transceivers: Transceivers = {};
  #tracks: Tracks;
  #others: number;
  #sendLimit: SendLimit;
  /** Sources sent on this peer connection at least once; each is published to the others. */
  readonly #published = new Set<Source>();
  #subscribed: readonly SubscribedTrack[] = [];
  #encodings: PerSource<SubscribedEncodings> = {};
  readonly #unsubscribeTimers: PerSource<ReturnType<typeof setTimeout>> = {};
  #hasOffered = false;
  #iceServers: readonly IceServer[];
  #usesRelays = false;
  #relayFallbackTimer: ReturnType<typeof setTimeout> | undefined;
  /** A browser rejects `setParameters` while another call is pending. */
  readonly #parameters = new SerialQueue();

  constructor(options: SfuLinkOptions) {
    const { createPeer, iceServers, onChange } = options;
    this.#options = options;
    this.#iceServers = iceServers;
    this.#tracks = options.tracks;
    this.#others = options.others;
    this.#sendLimit = options.sendLimit;
    this.#link = new PeerLink({
      createPeer,
      polite: true,
      opens: true,
      iceServers: [],
      send: (signal) => this.#send(signal),
      onCreated: (peer) => this.#peerCreated(peer),
      adopt: onChange,
      onStateChange: (_, state) => {
        onChange();
        if (state === "connected") void this.#applyLayers();
        // The network may have changed to one with a direct path.
        if (state === "disconnected") this.#preferDirect();
      },
    });
  }

  get connection(): ConnectionState {
    return this.#link.connection;
  }

  get isUp(): boolean {
    return this.peer.connectionState === "connected";
  }

  get peer(): RTCPeerConnection {
    return this.#link.peer;
  }

  async handle(signal: Signal): Promise<void> {
    await this.#link.handle(signal);
    if (!this.#usesRelays && !this.#isIceConnected) this.#startRelayFallback();
  }

  /** Assigns the received sections to participants. */
  setSubscribed(subscribed: readonly SubscribedTrack[]): void {
    this.#subscribed = subscribed;
  }

  /** Replaces the tracks that are sent. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#sendTracks();
  }

  /**
   * Sets the encodings of a video that have subscribers. Others are deactivated after a delay: each
   * change costs a keyframe, and a tile out of view may be back soon.
   */
  setSubscribedEncodings(source: Source, encodings: SubscribedEncodings): void {
    const before = this.#encodings[source];
    clearTimeout(this.#unsubscribeTimers[source]);
    this.#unsubscribeTimers[source] = setTimeout(
      () => this.#setEncodings(source, encodings),
      UNSUBSCRIBE_DELAY_MS,
    );
    if (before) this.#setEncodings(source, unionOf(before, encodings));
  }

  #setEncodings(source: Source, encodings: SubscribedEncodings): void {
    this.#encodings = { ...this.#encodings, [source]: encodings };
    void this.#applyLayers();
  }

  setOthers(others: number): void {
    if (others === this.#others) return;
    this.#others = others;
    void this.#applyLayers();
  }

  setSendLimit(limit: SendLimit): void {
    this.#sendLimit = limit;
    void this.#applyLayers();
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    if (this.#usesRelays) this.#link.setIceServers(iceServers);
  }

  restart(): void {
    if (!this.isUp) this.#preferDirect();
    this.#link.restart();
  }

  restartUnlessConnected(): void {
    if (!this.isUp) this.restart();
  }

  /** Replaces the peer connection. */
  renew(): void {
    this.#link.renew();
  }

  /**
   * Received tracks by participant, without sections whose offer has not arrived yet. Of a
   * participant with two links there are two of a source, the newer link's last.
   */
  received(): Map<ParticipantId, Candidates> {
    const transceivers = new Map(this.peer.getTransceivers().map((each) => [each.mid, each]));
    const received = new Map<ParticipantId, PerSource<readonly MediaStreamTrack[]>>();
    for (const { mid, participant, source } of this.#subscribed) {
      const transceiver = transceivers.get(mid);
      if (!transceiver) continue;
      const tracks = received.get(participant) ?? {};
      tracks[source] = [...(tracks[source] ?? []), transceiver.receiver.track];
      received.set(participant, tracks);
    }
    return received;
  }

  /** This device's published sources by section. */
  published(): PublishedTrack[] {
    return entriesOf(this.#transceivers).flatMap(([source, { mid }]) =>
      mid !== null && this.#published.has(source) ? [{ mid, source }] : [],
    );
  }

  /** Progress of each received track. */
  counters(): Promise<Counters> {
    return countersOf(this.peer);
  }

  close(): void {
    for (const [, timer] of entriesOf(this.#unsubscribeTimers)) clearTimeout(timer);
    this.#link.close();
    clearTimeout(this.#relayFallbackTimer);
  }

  get #isIceConnected(): boolean {
    return ["connected", "completed"].includes(this.peer.iceConnectionState);
  }

  #startRelayFallback(): void {
    clearTimeout(this.#relayFallbackTimer);
    if (this.peer.signalingState === "closed") return;
    this.#relayFallbackTimer = setTimeout(() => {
      if (!this.#isIceConnected) this.#addRelays();
    }, DIRECT_TIMEOUT_MS);
  }

  #addRelays(): void {
    this.#usesRelays = true;
    this.#link.setIceServers(this.#iceServers);
    this.#link.restart();
  }

  /** Takes effect with the next ICE restart. */
  #preferDirect(): void {
    clearTimeout(this.#relayFallbackTimer);
    if (!this.#usesRelays) return;
    this.#usesRelays = false;
    this.#link.setIceServers([]);
  }

  /** Candidates are not exchanged: the server's are in its SDP, ours it learns from checks. */
  #send(signal: Signal): void {
    if (!("description" in signal)) return;
    const isOffer = signal.description.type === "offer";
    if (isOffer) this.#options.publish(this.published());
    this.#options.send(signal);
    if (!isOffer || this.#hasOffered) return;
    this.#hasOffered = true;
    this.#options.onOffered();
  }

  #peerCreated(peer: RTCPeerConnection): void {
    this.#hasOffered = false;
    this.#preferDirect();
    this.#encodings = {};
    for (const [, timer] of entriesOf(this.#unsubscribeTimers)) clearTimeout(timer);
    this.#published.clear();
    this.#published.add("microphone");
    this.#transceivers = {};
    for (const source of INITIAL_SOURCES) this.#addTransceiver(peer, source);
    void this.#sendTracks(peer);
  }

  async #sendTracks(peer: RTCPeerConnection = this.peer): Promise<void> {
    const before = this.published().length;
    for (const source of SOURCES) {
      if (!this.#tracks[source]) continue;
      this.#published.add(source);
      if (!this.#transceivers[source]) this.#addTransceiver(peer, source);
    }
    // A section that is not negotiated yet is published right before its offer.
    if (this.published().length > before) this.#options.publish(this.published());
    await Promise.all(
      entriesOf(this.#transceivers).map(([source, { sender }]) =>
        replaceTrack(sender, this.#tracks[source]),
      ),
    );
    await this.#applyLayers();
  }

  #addTransceiver(peer: RTCPeerConnection, source: Source): void {
    const transceiver = peer.addTransceiver(this.#tracks[source] ?? kindOf(source), {
      direction: "sendonly",
      sendEncodings: this.#layers(source),
    });
    this.#transceivers = { ...this.#transceivers, [source]: transceiver };
  }

  #applyLayers(): Promise<void> {
    const { camera, screen } = this.#transceivers;
    return this.#parameters.run(async () => {
      const { camera: cameraEncodings, screen: screenEncodings } = this.#encodings;
      if (camera) await applyLayers(camera.sender, this.#layers("camera"), cameraEncodings);
      if (screen) await applyLayers(screen.sender, this.#layers("screen"), screenEncodings);
    });
  }

  #layers(source: Source): RTCRtpEncodingParameters[] {
    if (source === "camera") {
      return cameraLayers(this.#others, this.#tracks.camera?.getSettings(), this.#sendLimit);
    }
    return source === "screen" ? [...SCREEN_LAYERS] : [{}];
  }
}
