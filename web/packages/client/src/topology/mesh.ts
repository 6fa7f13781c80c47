// Mesh links to the participants that need one.
import type { ConnectionState, SendLimit } from "../api.ts";
import type { IceServer, ParticipantId } from "../protocol.ts";
import type { Counters } from "../rtc/counters.ts";
import { type MeshQuality, meshQuality } from "../rtc/encoding.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { PeerConnectionEntry, RtcPlatform } from "../rtc/platform.ts";
import {
  ALL_RIGHTS,
  type MediaRights,
  NO_TRACKS,
  type ReceivedTracks,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import { MeshLink } from "./mesh-link.ts";

export interface MeshOptions extends RtcPlatform {
  send: (to: ParticipantId, signal: Signal) => void;
  /** The connection state or the received tracks of a link have changed. */
  onChange: (id: ParticipantId) => void;
}

/** Owns the links; the router decides which are needed. */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #links = new Map<ParticipantId, MeshLink>();
  #tracks: Tracks = NO_TRACKS;
  #iceServers: readonly IceServer[] = [];
  #rights = ALL_RIGHTS;
  #receivesVideo = true;
  #sendLimit: SendLimit = "auto";

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** Creates and closes links until there is one to exactly these participants. */
  reconcile(self: ParticipantId, others: readonly ParticipantId[]): void {
    const before = this.#links.size;
    for (const [id, link] of this.#links) {
      if (others.includes(id)) continue;
      this.#links.delete(id);
      link.close();
    }
    if (before !== others.length) this.#setQuality(others.length);
    for (const id of others) {
      if (!this.#links.has(id)) this.#links.set(id, this.#createLink(self, id, others.length));
    }
  }

  /** Processes a signal. One from a participant without a link is outdated. */
  handle(from: ParticipantId, signal: Signal): void {
    void this.#links.get(from)?.handle(signal);
  }

  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    for (const link of this.#links.values()) link.setTracks(tracks);
  }

  setRights(rights: MediaRights): void {
    this.#rights = rights;
    for (const link of this.#links.values()) link.setRights(rights);
  }

  /** True if the links receive video. */
  setReceivesVideo(receivesVideo: boolean): void {
    this.#receivesVideo = receivesVideo;
    for (const link of this.#links.values()) link.setReceivesVideo(receivesVideo);
  }

  setSendLimit(limit: SendLimit): void {
    this.#sendLimit = limit;
    this.#setQuality(this.#links.size);
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    for (const link of this.#links.values()) link.setIceServers(iceServers);
  }

  /** Restarts ICE on every link, as after a resume. */
  restart(): void {
    for (const link of this.#links.values()) link.restart();
  }

  /** Restarts ICE on links that are not connected, as after a change of network. */
  restartUnlessConnected(only?: ParticipantId): void {
    for (const [id, link] of this.#links) {
      if (only === undefined || only === id) link.restartUnlessConnected();
    }
  }

  /** State of the link to a participant; null without a link. */
  connection(id: ParticipantId): ConnectionState | null {
    return this.#links.get(id)?.connection ?? null;
  }

  received(id: ParticipantId): ReceivedTracks {
    return this.#links.get(id)?.received ?? {};
  }

  /** Sources of a linked participant that this browser can't decode. */
  unplayable(id: ParticipantId): readonly Source[] {
    return this.#links.get(id)?.unplayable ?? [];
  }

  /** Progress of each track received from a participant. */
  async counters(id: ParticipantId): Promise<Counters> {
    return (await this.#links.get(id)?.counters()) ?? new Map();
  }

  connections(): PeerConnectionEntry[] {
    return [...this.#links].map(([to, { peer }]) => ({ to, peer }));
  }

  /** Current audio level of each linked participant, 0 to 1. */
  levels(): Map<ParticipantId, number> {
    return new Map([...this.#links].map(([id, link]) => [id, link.level()]));
  }

  /** Closes every link. */
  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #setQuality(others: number): void {
    const quality = this.#quality(others);
    for (const link of this.#links.values()) link.setQuality(quality);
  }

  #quality(others: number): MeshQuality {
    return meshQuality(others, this.#sendLimit);
  }

  #createLink(self: ParticipantId, id: ParticipantId, others: number): MeshLink {
    const { createPeer, createStream, send, onChange } = this.#options;
    return new MeshLink({
      createPeer,
      createStream,
      polite: self < id,
      iceServers: this.#iceServers,
      tracks: this.#tracks,
      quality: this.#quality(others),
      rights: this.#rights,
      receivesVideo: this.#receivesVideo,
      send: (signal) => send(id, signal),
      onChange: () => onChange(id),
    });
  }
}
