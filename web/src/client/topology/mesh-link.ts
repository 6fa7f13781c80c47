// The link to one other participant in a mesh.

import { type Counters, countersOf } from "../rtc/counters.ts";
import { applyQuality, type MeshQuality } from "../rtc/encoding.ts";
import type { Connection } from "../api.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { IceServer } from "../protocol.ts";
import { type Sections, sectionsOf } from "../rtc/transceivers.ts";
import { entriesOf, kindOf, type Received, SOURCES, type Source, type Tracks } from "../rtc/source.ts";
import { Transport } from "../rtc/peer-link.ts";

/** How long the polite end waits for the other's first offer, in milliseconds, before its own. */
const FIRST_OFFER_WAIT_MS = 2_000;

/** What of the browser a link needs. */
export interface LinkPlatform {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

export interface LinkOptions extends LinkPlatform {
  /**
   * The polite end waits for the other's first offer; the other opens the link. One that has
   * nothing to send may never do so: then the polite end opens it, after a while.
   */
  polite: boolean;
  iceServers: readonly IceServer[];
  tracks: Tracks;
  quality: MeshQuality;
  send: (signal: Signal) => void;
  /** Its health, or what it brings, has changed. */
  changed: () => void;
}

/**
 * Carries the microphone and the camera both ways. Both sections are there from the first offer of
 * ours on, whether or not there is anything to send, so muting and changing devices never
 * negotiates. Where the other end's offer leaves one out, it comes with the first track for it. The
 * sections of the screen come when somebody first shares one, and then serve both ways, too.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #transport: Transport;
  /** What goes together for other clients: voice and face, the screen and its sound. */
  readonly #face: MediaStream;
  readonly #shared: MediaStream;
  #sections: Sections = {};
  #received: Received = {};
  #unplayable: readonly Source[] = [];
  #tracks: Tracks;
  #quality: MeshQuality;
  #firstOffer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinkOptions) {
    const { createPeer, createStream, polite, iceServers, send } = options;
    this.#options = options;
    this.#face = createStream([]);
    this.#shared = createStream([]);
    this.#tracks = options.tracks;
    this.#quality = options.quality;
    this.#transport = new Transport({
      createPeer,
      polite,
      opens: !polite,
      iceServers,
      send,
      began: (peer) => this.#began(peer),
      adopt: (peer) => this.#adopt(peer),
      changed: (_, state) => {
        options.changed();
        if (state === "connected") void this.#applyQuality();
      },
    });
  }

  get connection(): Connection {
    return this.#transport.connection;
  }

  /** What the other end's sections bring; the same object until they are others. */
  get received(): Received {
    return this.#received;
  }

  /** Sections of which the two ends have no format in common: nothing comes by them. */
  get unplayable(): readonly Source[] {
    return this.#unplayable;
  }

  get peer(): RTCPeerConnection {
    return this.#transport.peer;
  }

  handle(signal: Signal): Promise<void> {
    return this.#transport.handle(signal);
  }

  /** Sends other tracks from now on. */
  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#fill();
  }

  setQuality(quality: MeshQuality): void {
    this.#quality = quality;
    void this.#applyQuality();
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#transport.setIceServers(iceServers);
  }

  restart(): void {
    this.#transport.restart();
  }

  restartUnlessWell(): void {
    this.#transport.restartUnlessWell();
  }

  /** How loud the other end speaks just now, 0 to 1. */
  level(): number {
    const source = this.#sections.microphone?.receiver.getSynchronizationSources?.()[0];
    return source?.audioLevel ?? 0;
  }

  /** How much of each received track has come in so far. */
  counters(): Promise<Counters> {
    return countersOf(this.peer);
  }

  close(): void {
    clearTimeout(this.#firstOffer);
    this.#transport.close();
  }

  #began(peer: RTCPeerConnection): void {
    this.#sections = {};
    this.#unplayable = [];
    clearTimeout(this.#firstOffer);
    peer.addEventListener("signalingstatechange", () => {
      if (peer === this.peer && peer.signalingState === "stable") this.#agreed();
    });
    if (this.#options.polite) {
      this.#firstOffer = setTimeout(() => {
        this.#open(peer);
        this.#options.changed();
      }, FIRST_OFFER_WAIT_MS);
    } else {
      this.#open(peer);
    }
  }

  /** Offers what every link carries. */
  #open(peer: RTCPeerConnection): void {
    this.#add(peer, ["microphone", "camera"]);
    void this.#fill(peer);
  }

  /** The sections of the other end's offer become ours as well. */
  async #adopt(peer: RTCPeerConnection): Promise<void> {
    const offered = sectionsOf(peer.getTransceivers());
    // One without media may be for a data channel: what is carried here is still to be offered.
    if (entriesOf(offered).length === 0) return;
    clearTimeout(this.#firstOffer);
    for (const [source, section] of entriesOf(offered)) {
      if (section.direction !== "sendrecv") section.direction = "sendrecv";
      section.sender.setStreams?.(this.#streamOf(source));
      const own = this.#sections[source];
      // Both shared a screen in the same moment: theirs serves both.
      if (own && own !== section && own.mid === null) own.stop();
    }
    this.#use({ ...this.#sections, ...offered });
    this.#options.changed();
    await this.#fill(peer);
  }

  #add(peer: RTCPeerConnection, sources: readonly Source[]): void {
    const added = sources.map((source) => {
      const init = { direction: "sendrecv" as const, streams: [this.#streamOf(source)] };
      return [source, peer.addTransceiver(kindOf(source), init)] as const;
    });
    this.#use({ ...this.#sections, ...Object.fromEntries(added) });
  }

  #streamOf(source: Source): MediaStream {
    return source === "microphone" || source === "camera" ? this.#face : this.#shared;
  }

  #use(sections: Sections): void {
    if (SOURCES.every((source) => this.#sections[source] === sections[source])) return;
    this.#sections = sections;
    this.#read();
  }

  /** An offer and its answer are in force: what was rejected is stopped (RFC 9429 §5.11). */
  #agreed(): void {
    const rejected = Object.values(this.#sections).filter(isStopped);
    if (rejected.length === this.#unplayable.length) return;
    this.#read();
    this.#options.changed();
  }

  #read(): void {
    const sections = entriesOf(this.#sections);
    this.#unplayable = sections.filter(([, each]) => isStopped(each)).map(([source]) => source);
    this.#received = Object.fromEntries(
      sections
        .filter(([, section]) => !isStopped(section))
        .map(([source, section]) => [source, section.receiver.track]),
    );
  }

  async #fill(peer: RTCPeerConnection = this.peer): Promise<void> {
    if (entriesOf(this.#sections).length === 0) return;
    const missing = neededFor(this.#tracks).filter((source) => !this.#sections[source]);
    if (missing.length > 0) {
      this.#add(peer, missing);
      this.#options.changed();
    }
    await Promise.all(
      entriesOf(this.#sections).map(([source, { sender }]) => carry(sender, this.#tracks[source])),
    );
    await this.#applyQuality();
  }

  async #applyQuality(): Promise<void> {
    const { camera, screen } = this.#sections;
    if (camera) await applyQuality(camera.sender, this.#quality.camera);
    if (screen) await applyQuality(screen.sender, this.#quality.screen);
  }
}

/** One end has rejected the section, having none of its formats. */
function isStopped(section: RTCRtpTransceiver): boolean {
  return section.currentDirection === "stopped";
}

/** The sections that these tracks take. A screen's are told by coming second of their kinds. */
function neededFor(tracks: Tracks): readonly Source[] {
  if (tracks.screen) return SOURCES;
  return SOURCES.filter((source) => tracks[source] !== null);
}

/** Puts a track into a sender, or takes it out. */
export async function carry(sender: RTCRtpSender, track: MediaStreamTrack | null): Promise<void> {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The link is closed, or the track ended meanwhile: its owner tells about both.
  }
}
