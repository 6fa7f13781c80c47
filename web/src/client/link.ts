// The link to one other participant in a mesh.

import { type Counters, countersOf } from "./counters.ts";
import { applyQuality, type MeshQuality } from "./encoding.ts";
import type { Connection } from "./face.ts";
import type { Signal } from "./negotiation.ts";
import type { IceServer } from "./protocol.ts";
import { type Sections, sectionsOf } from "./sections.ts";
import { entriesOf, type Received, SOURCES, type Source, type Tracks } from "./source.ts";
import { Transport } from "./transport.ts";

/** What of the browser a link needs. */
export interface LinkPlatform {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection;
  createStream: (tracks: MediaStreamTrack[]) => MediaStream;
}

export interface LinkOptions extends LinkPlatform {
  /** The polite end waits for the other's first offer; the other opens the link. */
  polite: boolean;
  iceServers: readonly IceServer[];
  tracks: Tracks;
  quality: MeshQuality;
  send: (signal: Signal) => void;
  /** Its health, or what it brings, has changed. */
  changed: () => void;
}

/**
 * Carries the microphone and the camera both ways. Both sections are there from the first offer
 * on, whether or not there is anything to send, so muting and changing devices never negotiates.
 * The sections of the screen come when somebody first shares one, and then serve both ways, too.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #transport: Transport;
  /** What goes together for other clients: voice and face, the screen and its sound. */
  readonly #face: MediaStream;
  readonly #shared: MediaStream;
  #sections: Sections = {};
  #received: Received = {};
  #tracks: Tracks;
  #quality: MeshQuality;

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
    this.#transport.close();
  }

  #began(peer: RTCPeerConnection): void {
    this.#sections = {};
    if (this.#options.polite) return;
    const init = { direction: "sendrecv" as const, streams: [this.#face] };
    this.#use({
      microphone: peer.addTransceiver("audio", init),
      camera: peer.addTransceiver("video", init),
    });
    void this.#fill(peer);
  }

  /** The sections of the other end's offer become ours as well. */
  async #adopt(peer: RTCPeerConnection): Promise<void> {
    const offered = sectionsOf(peer.getTransceivers());
    if (!offered.microphone || !offered.camera) return;
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

  #streamOf(source: Source): MediaStream {
    return source === "microphone" || source === "camera" ? this.#face : this.#shared;
  }

  #use(sections: Sections): void {
    if (SOURCES.every((source) => this.#sections[source] === sections[source])) return;
    this.#sections = sections;
    this.#received = Object.fromEntries(
      entriesOf(sections).map(([source, section]) => [source, section.receiver.track]),
    );
  }

  async #fill(peer: RTCPeerConnection = this.peer): Promise<void> {
    if (!this.#sections.microphone) return;
    if (this.#tracks.screen && !this.#sections.screen) {
      const init = { direction: "sendrecv" as const, streams: [this.#shared] };
      this.#use({
        ...this.#sections,
        screen: peer.addTransceiver("video", init),
        screen_audio: peer.addTransceiver("audio", init),
      });
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

/** Puts a track into a sender, or takes it out. */
export async function carry(sender: RTCRtpSender, track: MediaStreamTrack | null): Promise<void> {
  if (sender.track === track) return;
  try {
    await sender.replaceTrack(track);
  } catch {
    // The link is closed, or the track ended meanwhile: its owner tells about both.
  }
}
