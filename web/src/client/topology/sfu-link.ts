// The one link to the media server: what this device sends goes up once, what the others send comes
// down in sections that the server offers and tells the owner of.
import { type Counters, countersOf } from "../rtc/counters.ts";
import { applyLayers, cameraLayers, either, SCREEN_LAYERS, type Wanted } from "../rtc/encoding.ts";
import type { Connection } from "../api.ts";
import { carry, type LinkPlatform } from "./mesh-link.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { IceServer, ParticipantId, PublishedTrack, SubscribedTrack } from "../protocol.ts";
import type { Sections } from "../rtc/transceivers.ts";
import {
  entriesOf,
  kindOf,
  type PerSource,
  type Received,
  SOURCES,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import { Transport } from "../rtc/peer-link.ts";

/** How long a layer is sent on that nobody wants, in milliseconds. */
const UNWANTED = 5_000;

/** How long the media server may take to be reached straight before relays are tried, in milliseconds. */
const STRAIGHT = 1_500;

export interface SfuLinkOptions extends LinkPlatform {
  /** For the case that there is no straight way. */
  iceServers: readonly IceServer[];
  tracks: Tracks;
  /** How many others there are: the more, the smaller the tiles. */
  others: number;
  /** Names the sections of the offer that is sent right after. */
  publish: (tracks: PublishedTrack[]) => void;
  send: (signal: Signal) => void;
  /** The first offer of a peer connection went out: whatever the server was told before is void. */
  introduced: () => void;
  /** Its health, or what it brings, has changed. */
  changed: () => void;
}

/** What there is a section for from the first offer on. */
const ALWAYS: readonly Source[] = ["microphone", "camera"];

/**
 * The browser is polite here, and opens the link. The sections of microphone and camera are there
 * from the first offer on, a screen's from when there first is one: turning on and off never
 * negotiates. That first offer tells the server all numbers that this browser uses, of formats and
 * header extensions: an offer of the server's own, made before it knew them, could be refused.
 *
 * The link goes straight, over UDP or else TCP, and knows of no other servers at first: they are the
 * media server itself, and what comes over UDP from the address of a STUN or TURN server Chromium
 * takes for that server's. It would never see a check answered there.
 */
export class SfuLink {
  readonly #options: SfuLinkOptions;
  readonly #transport: Transport;
  #sections: Sections = {};
  #tracks: Tracks;
  #others: number;
  /** What has been sent by this peer connection, and so is published: others get a section for each. */
  readonly #used = new Set<Source>();
  #subscribed: readonly SubscribedTrack[] = [];
  #wanted: PerSource<Wanted> = {};
  readonly #stops: PerSource<ReturnType<typeof setTimeout>> = {};
  #isIntroduced = false;
  #iceServers: readonly IceServer[];
  #triesRelays = false;
  #detour: ReturnType<typeof setTimeout> | undefined;
  #applying = Promise.resolve();

  constructor(options: SfuLinkOptions) {
    const { createPeer, iceServers, changed } = options;
    this.#options = options;
    this.#iceServers = iceServers;
    this.#tracks = options.tracks;
    this.#others = options.others;
    this.#transport = new Transport({
      createPeer,
      polite: true,
      opens: true,
      iceServers: [],
      send: (signal) => this.#send(signal),
      began: (peer) => this.#began(peer),
      adopt: changed,
      changed: (_, state) => {
        changed();
        if (state === "connected") void this.#applyLayers();
        // Maybe the network is another one, where there is a straight way.
        if (state === "disconnected") this.#goStraight();
      },
    });
  }

  get connection(): Connection {
    return this.#transport.connection;
  }

  get isUp(): boolean {
    return this.peer.connectionState === "connected";
  }

  get peer(): RTCPeerConnection {
    return this.#transport.peer;
  }

  async handle(signal: Signal): Promise<void> {
    await this.#transport.handle(signal);
    if (!this.#triesRelays && !this.#isReached) this.#waitForStraight();
  }

  /** Who is on which section from now on. */
  setSubscribed(subscribed: readonly SubscribedTrack[]): void {
    this.#subscribed = subscribed;
  }

  /** Sends other tracks from now on. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#fill();
  }

  /**
   * What of one of this device's videos goes to anybody. What does not is no longer sent after a
   * while: each change costs a key frame, and what is out of sight may be back soon.
   */
  setWanted(source: Source, wanted: Wanted): void {
    const before = this.#wanted[source];
    clearTimeout(this.#stops[source]);
    this.#stops[source] = setTimeout(() => this.#want(source, wanted), UNWANTED);
    if (before) this.#want(source, either(before, wanted));
  }

  #want(source: Source, wanted: Wanted): void {
    this.#wanted = { ...this.#wanted, [source]: wanted };
    void this.#applyLayers();
  }

  setOthers(others: number): void {
    if (others === this.#others) return;
    this.#others = others;
    void this.#applyLayers();
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    if (this.#triesRelays) this.#transport.setIceServers(iceServers);
  }

  restart(): void {
    if (!this.isUp) this.#goStraight();
    this.#transport.restart();
  }

  restartUnlessWell(): void {
    if (!this.isUp) this.restart();
  }

  /** Begins anew with another peer connection. */
  renew(): void {
    this.#transport.renew();
  }

  /** What comes down, by participant. A section told of before its offer came is left out. */
  received(): Map<ParticipantId, Received> {
    const sections = new Map(this.peer.getTransceivers().map((section) => [section.mid, section]));
    const found = new Map<ParticipantId, PerSource<MediaStreamTrack>>();
    for (const { mid, participant, source } of this.#subscribed) {
      const section = sections.get(mid);
      if (!section) continue;
      const theirs = found.get(participant) ?? {};
      theirs[source] = section.receiver.track;
      found.set(participant, theirs);
    }
    return found;
  }

  /** What this device sends by which section. */
  published(): PublishedTrack[] {
    return entriesOf(this.#sections).flatMap(([source, { mid }]) =>
      mid !== null && this.#used.has(source) ? [{ mid, source }] : [],
    );
  }

  /** How much of each received track has come in so far. */
  counters(): Promise<Counters> {
    return countersOf(this.peer);
  }

  close(): void {
    for (const [, stop] of entriesOf(this.#stops)) clearTimeout(stop);
    this.#transport.close();
    clearTimeout(this.#detour);
  }

  get #isReached(): boolean {
    return ["connected", "completed"].includes(this.peer.iceConnectionState);
  }

  #waitForStraight(): void {
    clearTimeout(this.#detour);
    if (this.peer.signalingState === "closed") return;
    this.#detour = setTimeout(() => {
      if (!this.#isReached) this.#tryRelays();
    }, STRAIGHT);
  }

  #tryRelays(): void {
    this.#triesRelays = true;
    this.#transport.setIceServers(this.#iceServers);
    this.#transport.restart();
  }

  /** From the next restart on. */
  #goStraight(): void {
    clearTimeout(this.#detour);
    if (!this.#triesRelays) return;
    this.#triesRelays = false;
    this.#transport.setIceServers([]);
  }

  /** The server's candidates are in its descriptions; ours it learns as they knock. */
  #send(signal: Signal): void {
    if (!("description" in signal)) return;
    const isOffer = signal.description.type === "offer";
    if (isOffer) this.#options.publish(this.published());
    this.#options.send(signal);
    if (!isOffer || this.#isIntroduced) return;
    this.#isIntroduced = true;
    this.#options.introduced();
  }

  #began(peer: RTCPeerConnection): void {
    this.#isIntroduced = false;
    this.#goStraight();
    this.#wanted = {};
    for (const [, stop] of entriesOf(this.#stops)) clearTimeout(stop);
    this.#used.clear();
    this.#used.add("microphone");
    this.#sections = {};
    for (const source of ALWAYS) this.#addSection(peer, source);
    void this.#fill(peer);
  }

  async #fill(peer: RTCPeerConnection = this.peer): Promise<void> {
    const before = this.published().length;
    for (const source of SOURCES) {
      if (!this.#tracks[source]) continue;
      this.#used.add(source);
      if (!this.#sections[source]) this.#addSection(peer, source);
    }
    // Of a section that is yet to be offered it is told right before the offer.
    if (this.published().length > before) this.#options.publish(this.published());
    await Promise.all(
      entriesOf(this.#sections).map(([source, { sender }]) => carry(sender, this.#tracks[source])),
    );
    await this.#applyLayers();
  }

  #addSection(peer: RTCPeerConnection, source: Source): void {
    const section = peer.addTransceiver(this.#tracks[source] ?? kindOf(source), {
      direction: "sendonly",
      sendEncodings: this.#layers(source),
    });
    this.#sections = { ...this.#sections, [source]: section };
  }

  /** One after the other, since a browser takes no parameters while it is given some. */
  #applyLayers(): Promise<void> {
    const { camera, screen } = this.#sections;
    this.#applying = this.#applying.then(async () => {
      const { camera: cameraWanted, screen: screenWanted } = this.#wanted;
      if (camera) await applyLayers(camera.sender, this.#layers("camera"), cameraWanted);
      if (screen) await applyLayers(screen.sender, this.#layers("screen"), screenWanted);
    });
    return this.#applying;
  }

  #layers(source: Source): RTCRtpEncodingParameters[] {
    if (source === "camera") {
      return cameraLayers(this.#others, this.#tracks.camera?.getSettings());
    }
    return source === "screen" ? [...SCREEN_LAYERS] : [{}];
  }
}
