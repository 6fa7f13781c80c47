// How media travels in a call: the links, and from which of them each tile is fed. What is to be is
// decided in `ways` and `arrival`; here it is done.
import { chosen, isActive } from "./route-choice.ts";
import { Arrivals } from "./arrivals.ts";
import type { Counters } from "../rtc/counters.ts";
import type { Wanted } from "../rtc/encoding.ts";
import type { CallState, Connection, RemoteParticipant } from "../api.ts";
import { Gallery, type Shown } from "./remote-streams.ts";
import type { LinkPlatform } from "./mesh-link.ts";
import { Mesh } from "./mesh.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { Done, Said } from "../signaling/outbox.ts";
import type {
  IceServer,
  MediaState,
  ParticipantId,
  RefusedEvent,
  SubscribedTrack,
  Topology,
} from "../protocol.ts";
import { SfuLink } from "./sfu-link.ts";
import type { Payload } from "../signaling/signaling.ts";
import {
  NO_TRACKS,
  type PerSource,
  type Received,
  SOURCES,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import { isHidden, isSame, type Sight, toldOf } from "./viewport.ts";
import { after, linked, NO_WAYS, untold, type Way, type WaysMessage, wayTo } from "./routes.ts";

/** How long the media server may take to be reached, or to come back, in milliseconds. */
const PATIENCE = 7_000;

/** How long to leave it be before it is tried again, in milliseconds. */
const AGAIN = 45_000;

/** How long what the page shows has to stay as it is before the server is told, in milliseconds. */
const CALM = 150;

/** The media server's name among the participants' in signaling. */
const SFU = "sfu";

export interface PathsOptions extends LinkPlatform {
  /** `done` hears what it came to. */
  say: <E extends Said>(event: E, payload: Payload<E>, done?: Done) => void;
  /** How somebody is linked and what is shown of it; of a mesh link also what can't be played. */
  changed: (
    id: ParticipantId,
    connection: Connection,
    shown: Shown & { unplayable?: readonly Source[] },
  ) => void;
  /** Whether this device does without the media server that the others use. */
  cutOff: (direct: boolean) => void;
}

/** A peer connection, and whom it leads to: a participant, or `sfu`. */
export type Line = readonly [to: ParticipantId, peer: RTCPeerConnection];

export class Paths {
  readonly #options: PathsOptions;
  readonly #mesh: Mesh;
  readonly #gallery: Gallery;
  #self: ParticipantId = "";
  #others: ReadonlyMap<ParticipantId, RemoteParticipant> = new Map();
  #ways = NO_WAYS;
  #sfu: SfuLink | null = null;
  #wasUp = false;
  #tracks: Tracks = NO_TRACKS;
  #iceServers: readonly IceServer[] = [];
  #sights: readonly Sight[] = [];
  #told: readonly Sight[] | null = null;
  readonly #shown = new Map<ParticipantId, PerSource<Way>>();
  readonly #arrivals: Arrivals;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #calm: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PathsOptions) {
    const { createPeer, createStream, say } = options;
    this.#options = options;
    this.#gallery = new Gallery(createStream);
    this.#arrivals = new Arrivals({
      count: () => this.#counters(),
      looked: () => this.#settle(),
    });
    this.#mesh = new Mesh({
      createPeer,
      createStream,
      send: (to, signal) => say("signal", { to, ...signal }),
      changed: () => this.#settle(),
    });
  }

  /** Who is in the call, what they send and how media is to travel. */
  update({ self, topology, others }: Pick<CallState, "self" | "topology" | "others">): void {
    for (const id of this.#others.keys()) {
      if (others.some((other) => other.id === id)) continue;
      this.#gallery.forget(id);
      this.#shown.delete(id);
    }
    const turnedDirect = others.filter(({ id, direct }) => {
      return direct && this.#others.get(id)?.direct === false;
    });
    this.#self = self.id;
    this.#others = new Map(others.map((other) => [other.id, other]));
    this.#take({ is: "room", topology, others });
    // An offer of ours from before may have met nobody.
    for (const { id } of turnedDirect) this.#mesh.restartUnlessWell(id);
  }

  /** A signal of a participant, or of the media server. */
  handleSignal(from: ParticipantId, signal: Signal): void {
    if (from === SFU) {
      void this.#sfu?.handle(signal).then(() => this.#settle());
      return;
    }
    const offers = "description" in signal && signal.description.type === "offer";
    if (offers && this.#mesh.connection(from) === null) this.#take({ is: "offered", id: from });
    this.#mesh.handle(from, signal);
  }

  handleSubscribed(tracks: readonly SubscribedTrack[]): void {
    this.#sfu?.setSubscribed(tracks);
    this.#settle();
  }

  /** What of one of this device's videos goes to anybody. */
  handleWanted(source: Source, wanted: Wanted): void {
    this.#sfu?.setWanted(source, wanted);
  }

  /**
   * The media server did not do what it was told. Where that was a description it can't go on with
   * this link: one that stood is begun anew, once; one that never did is done without.
   */
  handleRefused({ what, error }: RefusedEvent): void {
    // biome-ignore lint/suspicious/noConsole: nobody else tells what was refused, and why.
    console.warn(`media server: ${what} refused: ${error.message} (${error.code})`);
    if (!this.#sfu || what === "publish" || what === "subscribe") return;
    if (!this.#sfu.isUp || error.code !== "invalid") return this.#giveUp();
    this.#sfu.renew();
    this.#sfuChanged();
  }

  handleHandover(from: ParticipantId, topology: Topology): void {
    this.#take({ is: "heard", id: from, topology });
  }

  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    this.#mesh.setTracks(tracks);
    this.#sfu?.setTracks(tracks);
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#mesh.setIceServers(iceServers);
    this.#sfu?.setIceServers(iceServers);
  }

  /** What the page shows of the others' pictures. */
  setSights(sights: readonly Sight[]): void {
    this.#sights = toldOf(sights);
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.#tellSights(), CALM);
  }

  /** Looks for new paths on every link, as after being resumed. */
  restart(): void {
    this.#mesh.restart();
    this.#sfu?.restart();
  }

  /** The network is another one: looks for new paths where there is no good one. */
  wake(): void {
    this.#mesh.restartUnlessWell();
    this.#sfu?.restartUnlessWell();
    this.#take({ is: "sfu:again" });
  }

  /** How loud those speak just now who are linked peer to peer, 0 to 1. */
  levels(): Map<ParticipantId, number> {
    return this.#mesh.levels();
  }

  /** The peer connections, for those who look at their statistics. */
  lines(): Line[] {
    return [...this.#mesh.peers(), ...(this.#sfu ? [[SFU, this.#sfu.peer] as const] : [])];
  }

  /** Who sends a received track, for the same. */
  ownerOf(trackId: string): { participant: ParticipantId; source: Source } | null {
    const received = this.#sfu?.received() ?? new Map<ParticipantId, Received>();
    for (const participant of this.#others.keys()) {
      for (const source of SOURCES) {
        const tracks = [this.#mesh.received(participant), received.get(participant)];
        if (tracks.some((by) => by?.[source]?.id === trackId)) return { participant, source };
      }
    }
    return null;
  }

  /** Ends every link and forgets everybody. */
  close(): void {
    for (const timer of [this.#patience, this.#again, this.#calm]) clearTimeout(timer);
    this.#arrivals.lookWhile(false);
    this.#mesh.close();
    this.#closeSfu();
    for (const id of this.#others.keys()) this.#gallery.forget(id);
    this.#others = new Map();
    this.#shown.clear();
    this.#ways = NO_WAYS;
  }

  /** The one door to the ways: links follow at once. */
  #take(message: WaysMessage): void {
    const before = this.#ways;
    this.#ways = after(before, message);
    if (this.#ways.direct !== before.direct) {
      this.#options.say("direct", { direct: this.#ways.direct });
      this.#options.cutOff(this.#ways.direct);
    }
    this.#mesh.reconcile(this.#self, linked(this.#ways));
    if (this.#ways.sfu && !this.#sfu) this.#openSfu();
    if (!this.#ways.sfu && this.#sfu) this.#closeSfu();
    this.#sfu?.setOthers(this.#others.size);
    this.#settle();
  }

  #openSfu(): void {
    const { createPeer, createStream, say } = this.#options;
    this.#wasUp = false;
    clearTimeout(this.#again);
    this.#wait();
    this.#sfu = new SfuLink({
      createPeer,
      createStream,
      iceServers: this.#iceServers,
      tracks: this.#tracks,
      others: this.#others.size,
      publish: (tracks) => say("publish", { tracks }),
      send: (signal) =>
        say("signal", { to: SFU, ...signal }, (outcome) => {
          if ("error" in outcome) this.#giveUp();
        }),
      introduced: () => {
        this.#told = null;
        this.#tellSights();
      },
      changed: () => this.#sfuChanged(),
    });
  }

  #closeSfu(): void {
    clearTimeout(this.#patience);
    this.#sfu?.close();
    this.#sfu = null;
  }

  #sfuChanged(): void {
    const isUp = this.#sfu?.isUp ?? false;
    if (isUp && !this.#wasUp) {
      clearTimeout(this.#patience);
      this.#wasUp = true;
      this.#take({ is: "sfu:up" });
    } else if (!isUp && this.#wasUp) {
      this.#wasUp = false;
      this.#wait();
    }
    this.#settle();
  }

  #wait(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#giveUp(), PATIENCE);
  }

  /** The media server can't be reached, or has no place: it is done without for a while. */
  #giveUp(): void {
    if (!this.#sfu) return;
    this.#take({ is: "sfu:down" });
    this.#again = setTimeout(() => this.#take({ is: "sfu:again" }), AGAIN);
  }

  #tellSights(): void {
    if (!this.#sfu || (this.#told && isSame(this.#told, this.#sights))) return;
    this.#told = this.#sights;
    this.#options.say("subscribe", { tracks: [...this.#sights] });
  }

  /** Feeds every tile from where it is to be fed now, and tells those who are received by now. */
  #settle(): void {
    const received = this.#sfu?.received() ?? new Map<ParticipantId, Received>();
    const waiting = new Set(untold(this.#ways));
    const complete: ParticipantId[] = [];
    let waits = waiting.size > 0;
    for (const [id, other] of this.#others) {
      const by = { mesh: this.#mesh.received(id), sfu: received.get(id) ?? {} };
      const fed = this.#feed(other, by);
      waits ||= fed.waits;
      const state = { mesh: this.#mesh.connection(id), sfu: this.#sfu?.connection ?? null };
      const way = wayTo(this.#ways, id);
      const connection = connectionOf(other.media, way, by.sfu, state);
      const shown = this.#gallery.show(id, fed.tracks);
      // Of its own links the media server tells itself.
      const unplayable = way === "mesh" ? { unplayable: this.#mesh.unplayable(id) } : {};
      this.#options.changed(id, connection, { ...shown, ...unplayable });
      if (waiting.has(id) && fed.complete && this.#isUp(id)) complete.push(id);
    }
    this.#arrivals.lookWhile(waits);
    const { topology } = this.#ways;
    for (const id of complete) {
      // Telling the first settles things, and so may tell the rest.
      if (!untold(this.#ways).includes(id)) continue;
      this.#options.say("handover", { to: id, topology });
      this.#take({ is: "told", id, topology });
    }
  }

  /** From where each of somebody's tracks is taken now. */
  #feed(other: RemoteParticipant, by: Readonly<Record<Way, Received>>): Feed {
    const { id } = other;
    const wanted = wayTo(this.#ways, id);
    const before = this.#shown.get(id) ?? {};
    const shown: PerSource<Way> = {};
    const feed: Feed = { tracks: {}, complete: true, waits: false };
    for (const source of SOURCES) {
      const arrived = this.#hasArrived(other, source, wanted, by[wanted][source]);
      const has = { mesh: by.mesh[source] !== undefined, sfu: by.sfu[source] !== undefined };
      const way = chosen({ shown: before[source] ?? null, wanted, has, arrived });
      const track = way && by[way][source];
      if (!arrived) feed.complete = false;
      if (!track) continue;
      shown[source] = way;
      feed.tracks[source] = track;
      if (way !== wanted && has[wanted]) feed.waits = true;
    }
    this.#shown.set(id, shown);
    return feed;
  }

  #hasArrived(
    { id, media }: RemoteParticipant,
    source: Source,
    way: Way,
    track: MediaStreamTrack | undefined,
  ): boolean {
    if (!isActive(media, source)) return true;
    if (!track) return false;
    if (way === "sfu" && isHidden(this.#sights, id, source)) return true;
    return this.#arrivals.hasCome(`${way} ${track.id}`, id, source);
  }

  #isUp(id: ParticipantId): boolean {
    if (wayTo(this.#ways, id) === "sfu") return this.#sfu?.isUp ?? false;
    return this.#mesh.connection(id) === "connected";
  }

  /** What each track has brought by either way, named as it is asked for. */
  async #counters(): Promise<Counters> {
    const counters = new Map<string, number>();
    const add = (way: Way, found: Counters) => {
      for (const [track, count] of found) counters.set(`${way} ${track}`, count);
    };
    if (this.#ways.topology === "sfu" && this.#sfu) add("sfu", await this.#sfu.counters());
    for (const id of linked(this.#ways)) {
      if (wayTo(this.#ways, id) === "mesh") add("mesh", await this.#mesh.counters(id));
    }
    return counters;
  }
}

interface Feed {
  tracks: PerSource<MediaStreamTrack>;
  /** Whatever can be waited for has come by the wanted way. */
  complete: boolean;
  /** Something is still taken from the other way. */
  waits: boolean;
}

/** How somebody is linked: well if it is so by either way. */
function connectionOf(
  media: MediaState,
  wanted: Way,
  bySfu: Received,
  state: Readonly<Record<Way, Connection | null>>,
): Connection {
  const sends = SOURCES.some((source) => isActive(media, source));
  // Somebody the server tells nothing of has not reached it yet.
  const isThere = Object.keys(bySfu).length > 0 || !sends;
  const sfu = state.sfu === "connected" && !isThere ? "connecting" : state.sfu;
  if (state.mesh === "connected" || sfu === "connected") return "connected";
  return { mesh: state.mesh, sfu }[wanted] ?? state.mesh ?? sfu ?? "connecting";
}
