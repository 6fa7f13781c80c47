// A call carried peer to peer: a link to each of the others that is to have one.
import type { Counters } from "../rtc/counters.ts";
import { meshQuality } from "../rtc/encoding.ts";
import type { Connection } from "../api.ts";
import { Link, type LinkPlatform } from "./mesh-link.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { IceServer, ParticipantId } from "../protocol.ts";
import { NO_TRACKS, type Received, type Source, type Tracks } from "../rtc/source.ts";

export interface MeshOptions extends LinkPlatform {
  send: (to: ParticipantId, signal: Signal) => void;
  /** A link's health, or what it brings, has changed. */
  changed: (id: ParticipantId) => void;
}

/** Owns the links and nothing else: who is to be linked is decided elsewhere. */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #links = new Map<ParticipantId, Link>();
  #tracks: Tracks = NO_TRACKS;
  #iceServers: readonly IceServer[] = [];

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** Links to exactly these others. */
  reconcile(self: ParticipantId, others: readonly ParticipantId[]): void {
    const before = this.#links.size;
    for (const [id, link] of this.#links) {
      if (others.includes(id)) continue;
      this.#links.delete(id);
      link.close();
    }
    if (before !== others.length) {
      const quality = meshQuality(others.length);
      for (const link of this.#links.values()) link.setQuality(quality);
    }
    for (const id of others) {
      if (!this.#links.has(id)) this.#links.set(id, this.#link(self, id, others.length));
    }
  }

  /** Takes in a signal; one from nobody linked is too late or too early to matter. */
  handle(from: ParticipantId, signal: Signal): void {
    void this.#links.get(from)?.handle(signal);
  }

  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    for (const link of this.#links.values()) link.setTracks(tracks);
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    for (const link of this.#links.values()) link.setIceServers(iceServers);
  }

  /** Looks for new paths on every link, as after being resumed. */
  restart(): void {
    for (const link of this.#links.values()) link.restart();
  }

  /** Looks for new paths where there is no good one, as when the network is back. */
  restartUnlessWell(only?: ParticipantId): void {
    for (const [id, link] of this.#links) {
      if (only === undefined || only === id) link.restartUnlessWell();
    }
  }

  /** How the link to somebody does; null without one. */
  connection(id: ParticipantId): Connection | null {
    return this.#links.get(id)?.connection ?? null;
  }

  received(id: ParticipantId): Received {
    return this.#links.get(id)?.received ?? {};
  }

  /** What somebody linked sends in formats that this browser lacks. */
  unplayable(id: ParticipantId): readonly Source[] {
    return this.#links.get(id)?.unplayable ?? [];
  }

  /** How much of each received track has come in so far. */
  async counters(id: ParticipantId): Promise<Counters> {
    return (await this.#links.get(id)?.counters()) ?? new Map();
  }

  /** The peer connections, for those who look at their statistics. */
  peers(): [ParticipantId, RTCPeerConnection][] {
    return [...this.#links].map(([id, link]) => [id, link.peer]);
  }

  /** How loud each of the others speaks just now, 0 to 1. */
  levels(): Map<ParticipantId, number> {
    return new Map([...this.#links].map(([id, link]) => [id, link.level()]));
  }

  /** Ends every link. */
  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #link(self: ParticipantId, id: ParticipantId, others: number): Link {
    const { createPeer, createStream, send, changed } = this.#options;
    return new Link({
      createPeer,
      createStream,
      polite: self < id,
      iceServers: this.#iceServers,
      tracks: this.#tracks,
      quality: meshQuality(others),
      send: (signal) => send(id, signal),
      changed: () => changed(id),
    });
  }
}
