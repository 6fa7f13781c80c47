// Routes the media of a call: owns the links and selects the one that feeds each track. The
// decisions are made in `routes`, `route-choice` and `sfu-state`; the side effects are here.
import type {
  CallState,
  ConnectionState,
  Reception,
  RemoteParticipant,
  SendLimit,
  Viewport,
} from "../api.ts";
import type {
  IceServer,
  ParticipantId,
  RefusedEvent,
  SubscribedTrack,
  Topology,
} from "../protocol.ts";
import type { Counters } from "../rtc/counters.ts";
import type { SubscribedEncodings } from "../rtc/encoding.ts";
import type { Signal } from "../rtc/negotiation.ts";
import type { PeerConnectionEntry, RtcPlatform } from "../rtc/platform.ts";
import {
  ALL_RIGHTS,
  type MediaRights,
  NO_TRACKS,
  SOURCES,
  type Source,
  type Tracks,
} from "../rtc/source.ts";
import type { CallRequest, Done } from "../signaling/outbox.ts";
import type { Payload } from "../signaling/signaling.ts";
import { Mesh } from "./mesh.ts";
import type { ParticipantStreams } from "./remote-streams.ts";
import { connectionOf } from "./route-choice.ts";
import {
  meshPeers,
  NO_ROUTES,
  pendingHandovers,
  type RoutesEvent,
  reduceRoutes,
  routeTo,
} from "./routes.ts";
import { SfuLink } from "./sfu-link.ts";
import { reduceSfu, type SfuEvent, type SfuState, sfuTimeout } from "./sfu-state.ts";
import type { Candidates } from "./succession.ts";
import { TrackFeeds } from "./track-feeds.ts";
import { ViewportReporter } from "./viewport.ts";

/** The media server's id in signaling. */
export const SFU = "sfu";

/**
 * Time for which a link goes on at least once the next one is connected: others may still receive
 * what this device sends by it alone.
 */
const FORMER_LINGER_MS = 4_000;

/** Longest time beside the next link, as long as the server keeps it. */
const FORMER_LIMIT_MS = 10_000;

export interface MediaRouterOptions extends RtcPlatform {
  /** `done` receives the outcome. */
  send: <E extends CallRequest>(event: E, payload: Payload<E>, done?: Done) => void;
  /** Connection and streams of a participant; `unplayable` is set for mesh links only. */
  onParticipant: (
    id: ParticipantId,
    connection: ConnectionState,
    streams: ParticipantStreams & { unplayable?: readonly Source[] },
  ) => void;
  /** This device can't reach the media server that the room uses, or reaches it again. */
  onSfuUnreachable: (unreachable: boolean) => void;
  /** The link to the media server was lost: its server may be gone. */
  onSfuLost: () => void;
}

export class MediaRouter {
  readonly #options: MediaRouterOptions;
  readonly #mesh: Mesh;
  readonly #feeds: TrackFeeds;
  readonly #viewports: ViewportReporter;
  #self: ParticipantId = "";
  #others: ReadonlyMap<ParticipantId, RemoteParticipant> = new Map();
  #routes = NO_ROUTES;
  #sfu: SfuLink | null = null;
  /** The link that the newer one replaces; its media goes on for a while, without signaling. */
  #former: SfuLink | null = null;
  #formerTimer: ReturnType<typeof setTimeout> | undefined;
  #lingerTimer: ReturnType<typeof setTimeout> | undefined;
  /** It ends once no track of it is shown. */
  #isFormerDue = false;
  #sfuState: SfuState = "idle";
  #sfuTimer: ReturnType<typeof setTimeout> | undefined;
  #tracks: Tracks = NO_TRACKS;
  #rights = ALL_RIGHTS;
  #reception: Reception = "all";
  #sendLimit: SendLimit = "auto";
  #iceServers: readonly IceServer[] = [];

  constructor(options: MediaRouterOptions) {
    const { createPeer, createStream, send } = options;
    this.#options = options;
    this.#viewports = new ViewportReporter({
      isLinked: () => this.#sfu !== null,
      send: (viewports) => send("subscribe", { tracks: [...viewports] }),
    });
    this.#feeds = new TrackFeeds({
      createStream,
      counters: () => this.#counters(),
      viewports: () => this.#viewports.current,
      receives: (kind) => this.#receives(kind),
      onPoll: () => this.#feedAll(),
    });
    this.#mesh = new Mesh({
      createPeer,
      createStream,
      send: (to, signal) => send("signal", { to, ...signal }),
      onChange: () => this.#feedAll(),
    });
  }

  /** Sets the participants, their media state and the topology. */
  update({ self, topology, others }: Pick<CallState, "self" | "topology" | "others">): void {
    for (const id of this.#others.keys()) {
      if (!others.some((other) => other.id === id)) this.#feeds.remove(id);
    }
    const turnedDirect = others.filter(({ id, direct }) => {
      return direct && this.#others.get(id)?.direct === false;
    });
    this.#self = self.id;
    this.#others = new Map(others.map((other) => [other.id, other]));
    this.#dispatch({ is: "room", topology, others });
    // An earlier offer may have arrived before the other end had a link for it.
    for (const { id } of turnedDirect) this.#mesh.restartUnlessConnected(id);
  }

  /** Processes a signal of a participant or of the media server. */
  handleSignal(from: ParticipantId, signal: Signal): void {
    if (from === SFU) {
      void this.#sfu?.handle(signal).then(() => this.#feedAll());
      return;
    }
    const isOffer = "description" in signal && signal.description.type === "offer";
    if (isOffer && this.#mesh.connection(from) === null) {
      this.#dispatch({ is: "mesh:offered", id: from });
    }
    this.#mesh.handle(from, signal);
  }

  handleSubscribed(tracks: readonly SubscribedTrack[]): void {
    this.#sfu?.setSubscribed(tracks);
    this.#feedAll();
  }

  /** Sets the encodings of one of this device's videos that have subscribers. */
  handleWanted(source: Source, encodings: SubscribedEncodings): void {
    this.#sfu?.setSubscribedEncodings(source, encodings);
  }

  /**
   * The media server rejected a request. If it rejected a description, the link can't go on: one
   * that was connected is replaced, once; one that never was is given up.
   */
  handleRefused({ what, error }: RefusedEvent): void {
    // biome-ignore lint/suspicious/noConsole: the only report of what was rejected, and why.
    console.warn(`media server: ${what} refused: ${error.message} (${error.code})`);
    if (!this.#sfu || what === "publish" || what === "subscribe") return;
    if (!this.#sfu.isUp || error.code !== "invalid") return this.#giveUpSfu();
    this.#sfu.renew();
    this.#sfuChanged();
  }

  handleHandover(from: ParticipantId, topology: Topology): void {
    this.#dispatch({ is: "handover:received", id: from, topology });
  }

  setTracks(tracks: Tracks): void {
    this.#tracks = tracks;
    this.#mesh.setTracks(tracks);
    for (const link of this.#sfuLinks()) link.setTracks(tracks);
  }

  setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#mesh.setIceServers(iceServers);
    this.#sfu?.setIceServers(iceServers);
  }

  /** Sets the displayed size of the remote videos. */
  setViewports(viewports: readonly Viewport[]): void {
    this.#viewports.set(viewports);
  }

  /** Sets what this device may send and receive. */
  setRights(rights: MediaRights): void {
    this.#rights = rights;
    this.#mesh.setRights(rights);
  }

  setReception(reception: Reception): void {
    this.#reception = reception;
    this.#viewports.setReception(reception);
    this.#mesh.setReceivesVideo(reception !== "sound");
    this.#feedAll();
  }

  setSendLimit(limit: SendLimit): void {
    this.#sendLimit = limit;
    this.#mesh.setSendLimit(limit);
    this.#sfu?.setSendLimit(limit);
  }

  /**
   * Restarts ICE on every link, as after a resume. A new process of the server has no link to its
   * media server, so that one is replaced: by another one beside it, since a server that drains
   * keeps the former one for a while.
   */
  restart(isNewServer = false): void {
    this.#mesh.restart();
    if (!isNewServer) return this.#sfu?.restart();
    if (!this.#sfu) return;
    if (this.#sfu.isUp) return this.#replaceSfu(this.#sfu);
    this.#sfu.renew();
    this.#sfuChanged();
  }

  /** The network changed: restarts ICE where a link is not connected and retries the SFU. */
  wake(): void {
    this.#mesh.restartUnlessConnected();
    this.#sfu?.restartUnlessConnected();
    this.#dispatch({ is: "sfu:retry" });
  }

  /** Current audio level of each participant with a mesh link, 0 to 1. */
  levels(): Map<ParticipantId, number> {
    return this.#mesh.levels();
  }

  /** The peer connections, for statistics. */
  connections(): PeerConnectionEntry[] {
    const link = this.#measuredLink();
    return [...this.#mesh.connections(), ...(link ? [{ to: SFU, peer: link.peer }] : [])];
  }

  /** The link to the media server that statistics are of: tracks of two may have the same ids. */
  #measuredLink(): SfuLink | null {
    return this.#sfu?.isUp ? this.#sfu : (this.#former ?? this.#sfu);
  }

  /** Publisher and source of a received track, for statistics. */
  ownerOf(trackId: string): { participant: ParticipantId; source: Source } | null {
    const received = this.#measuredLink()?.received() ?? new Map<ParticipantId, Candidates>();
    for (const participant of this.#others.keys()) {
      for (const source of SOURCES) {
        const mesh = this.#mesh.received(participant)[source];
        const tracks = [mesh, ...(received.get(participant)?.[source] ?? [])];
        if (tracks.some((track) => track?.id === trackId)) {
          return { participant, source };
        }
      }
    }
    return null;
  }

  /** Closes every link and forgets all participants. */
  close(): void {
    this.#viewports.close();
    this.#feeds.pollWhile(false);
    this.#mesh.close();
    this.#closeSfu();
    clearTimeout(this.#sfuTimer);
    this.#sfuState = "idle";
    for (const id of this.#others.keys()) this.#feeds.remove(id);
    this.#others = new Map();
    this.#routes = NO_ROUTES;
  }

  /** The only place that changes the routes; links follow at once. */
  #dispatch(event: RoutesEvent): void {
    const before = this.#routes;
    this.#routes = reduceRoutes(before, event);
    if (this.#routes.direct !== before.direct) {
      this.#options.send("direct", { direct: this.#routes.direct });
      this.#options.onSfuUnreachable(this.#routes.direct);
    }
    this.#mesh.reconcile(this.#self, meshPeers(this.#routes));
    if (this.#routes.sfu && !this.#sfu) this.#openSfu();
    if (!this.#routes.sfu && this.#sfu) this.#closeSfu();
    this.#sfu?.setOthers(this.#others.size);
    this.#feedAll();
  }

  #openSfu(): void {
    const { createPeer, createStream, send } = this.#options;
    this.#setSfuState("opened");
    // A former link is silent towards the server.
    let link: SfuLink | null = null;
    const isCurrent = () => this.#sfu === link;
    link = new SfuLink({
      createPeer,
      createStream,
      iceServers: this.#iceServers,
      tracks: this.#tracks,
      others: this.#others.size,
      sendLimit: this.#sendLimit,
      publish: (tracks) => {
        if (isCurrent()) send("publish", { tracks });
      },
      send: (signal) => {
        if (!isCurrent()) return;
        send("signal", { to: SFU, ...signal }, (outcome) => {
          if ("error" in outcome && isCurrent()) this.#giveUpSfu();
        });
      },
      onOffered: () => {
        if (isCurrent()) this.#viewports.reportAgain();
      },
      onChange: () => {
        if (isCurrent()) this.#sfuChanged();
        else if (link && this.#former === link) this.#formerChanged(link);
      },
    });
    this.#sfu = link;
  }

  /** Opens a link to another server beside one that is up. */
  #replaceSfu(former: SfuLink): void {
    this.#closeFormer();
    this.#former = former;
    this.#formerTimer = setTimeout(() => {
      this.#closeFormer();
      this.#feedAll();
    }, FORMER_LIMIT_MS);
    this.#openSfu();
    this.#sfuChanged();
  }

  #formerChanged(former: SfuLink): void {
    // Its server has ended.
    if (!former.isUp) this.#closeFormer();
    this.#feedAll();
  }

  #closeFormer(): void {
    clearTimeout(this.#formerTimer);
    clearTimeout(this.#lingerTimer);
    const former = this.#former;
    this.#former = null;
    this.#isFormerDue = false;
    former?.close();
  }

  /** All links to the media server, the newest last. */
  #sfuLinks(): SfuLink[] {
    return [this.#former, this.#sfu].filter((link) => link !== null);
  }

  #closeSfu(): void {
    this.#closeFormer();
    if (!this.#sfu) return;
    this.#setSfuState("closed");
    this.#sfu.close();
    this.#sfu = null;
  }

  #sfuChanged(): void {
    const before = this.#sfuState;
    this.#setSfuState(this.#sfu?.isUp ? "connected" : "disconnected");
    if (this.#sfuState === "up" && before !== "up") {
      this.#dispatch({ is: "sfu:up" });
      this.#lingerFormer();
    }
    this.#feedAll();
  }

  #lingerFormer(): void {
    if (!this.#former) return;
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = setTimeout(() => {
      this.#isFormerDue = true;
      this.#feedAll();
    }, FORMER_LINGER_MS);
  }

  /** Uses the mesh instead of the media server until the next retry. */
  #giveUpSfu(): void {
    if (!this.#sfu) return;
    this.#setSfuState("gave up");
    this.#dispatch({ is: "sfu:down" });
  }

  #setSfuState(event: SfuEvent): void {
    const before = this.#sfuState;
    this.#sfuState = reduceSfu(before, event);
    if (this.#sfuState === before) return;
    if (this.#sfuState === "lost") this.#options.onSfuLost();
    clearTimeout(this.#sfuTimer);
    const timeout = sfuTimeout(this.#sfuState);
    if (!timeout) return;
    this.#sfuTimer = setTimeout(() => {
      if (timeout.action === "give up") this.#giveUpSfu();
      else this.#dispatch({ is: "sfu:retry" });
    }, timeout.delay);
  }

  /** Tracks received on all links to the media server, those of the newest link last. */
  #sfuReceived(): Map<ParticipantId, Candidates> {
    const received = new Map<ParticipantId, Candidates>();
    for (const link of this.#sfuLinks()) {
      for (const [id, tracks] of link.received()) {
        received.set(id, joined(received.get(id) ?? {}, tracks));
      }
    }
    return received;
  }

  #formerTracks(): ReadonlySet<MediaStreamTrack> {
    const received = this.#former?.received().values() ?? [];
    const tracks = [...received].flatMap((tracks) => SOURCES.map((source) => tracks[source] ?? []));
    return new Set(tracks.flat());
  }

  /** State of the link to the media server: a former one goes on until the next is connected. */
  #sfuConnection(): ConnectionState | null {
    return (this.#former ?? this.#sfu)?.connection ?? null;
  }

  /** Updates every participant's streams, and sends a handover for each that has fully arrived. */
  #feedAll(): void {
    const sfuReceived = this.#sfuReceived();
    const pending = new Set(pendingHandovers(this.#routes));
    const complete: ParticipantId[] = [];
    // Also to see whether a former link is dead.
    let isAwaited = pending.size > 0 || this.#former !== null;
    const former = this.#formerTracks();
    let isFormerShown = false;
    for (const [id, other] of this.#others) {
      const received = { mesh: this.#mesh.received(id), sfu: sfuReceived.get(id) ?? {} };
      const wanted = routeTo(this.#routes, id);
      const feed = this.#feeds.update(other, wanted, received);
      isAwaited ||= feed.isAwaited;
      isFormerShown ||= former.size > 0 && tracksOf(feed.streams).some((each) => former.has(each));
      const connection = connectionOf({
        media: other.media,
        wanted,
        sfuTracks: received.sfu,
        state: { mesh: this.#mesh.connection(id), sfu: this.#sfuConnection() },
      });
      // For its own links the media server reports this itself.
      const unplayable = wanted === "mesh" ? { unplayable: this.#mesh.unplayable(id) } : {};
      this.#options.onParticipant(id, connection, { ...feed.streams, ...unplayable });
      if (pending.has(id) && feed.isComplete && this.#isUp(id)) complete.push(id);
    }
    this.#feeds.pollWhile(isAwaited);
    if (this.#isFormerDue && !isFormerShown) this.#closeFormer();
    const { topology } = this.#routes;
    for (const id of complete) {
      // Each dispatch feeds all again and may already have sent the remaining handovers.
      if (!pendingHandovers(this.#routes).includes(id)) continue;
      this.#options.send("handover", { to: id, topology });
      this.#dispatch({ is: "handover:sent", id, topology });
    }
  }

  #isUp(id: ParticipantId): boolean {
    if (routeTo(this.#routes, id) === "sfu") return this.#sfu?.isUp ?? false;
    return this.#mesh.connection(id) === "connected";
  }

  #receives(kind: "audio" | "video"): boolean {
    return this.#rights.receives && (kind === "audio" || this.#reception !== "sound");
  }

  /** Progress of the tracks on each participant's wanted route. */
  async #counters(): Promise<Counters> {
    const links = this.#routes.topology === "sfu" ? this.#sfuLinks() : [];
    const counters = links.map((link) => link.counters());
    for (const id of meshPeers(this.#routes)) {
      if (routeTo(this.#routes, id) === "mesh") counters.push(this.#mesh.counters(id));
    }
    return new Map((await Promise.all(counters)).flatMap((each) => [...each]));
  }
}

function joined(older: Candidates, newer: Candidates): Candidates {
  const sources = SOURCES.filter((source) => older[source] || newer[source]);
  const of = (source: Source) => [...(older[source] ?? []), ...(newer[source] ?? [])];
  return Object.fromEntries(sources.map((source) => [source, of(source)] as const));
}

function tracksOf({ stream, screen }: ParticipantStreams): MediaStreamTrack[] {
  return [stream, screen].flatMap((each) => each?.getTracks() ?? []);
}
