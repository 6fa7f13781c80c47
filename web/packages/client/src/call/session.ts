// One call with its side effects: server events update the call's state, the state drives the media
// router, and changes on this device are sent to the server.
import type {
  Call,
  CallState,
  Hosting,
  JoinRequest,
  Polling,
  Reception,
  SendLimit,
  Viewport,
} from "../api.ts";
import type { LocalMediaDevices } from "../devices/local-media.ts";
import { FileExchange } from "../files/file-exchange.ts";
import type { FileTransport } from "../files/file-signal.ts";
import type { KeyValueStorage } from "../options.ts";
import type {
  IceServer,
  Joined,
  MediaState,
  ParticipantId,
  SharedFile,
  Speaker,
  TrackSource,
} from "../protocol.ts";
import type { RtcPlatform } from "../rtc/platform.ts";
import { SOURCES } from "../rtc/source.ts";
import { RequestError } from "../signaling/errors.ts";
import { type CallRequest, Outbox } from "../signaling/outbox.ts";
import type { Outcome, Payload, Signaling } from "../signaling/signaling.ts";
import { StatsObserver } from "../stats/observer.ts";
import { Store } from "../store.ts";
import { MediaRouter, SFU } from "../topology/router.ts";
import { type CallEvent, newCall, reduceCall } from "./call.ts";
import { type Credentials, credentials, fetchCredentials } from "./credentials.ts";
import type { EarlierJoin } from "./earlier-join.ts";
import { hostingOver } from "./hosting.ts";
import { isSameMedia, mediaStateOf } from "./media-state.ts";
import { mayPublish, maySendFiles, mediaRights } from "./permitted.ts";
import { pollingOver } from "./polling.ts";
import type { RoomEvent } from "./room-events.ts";
import { linearLevel, reduceSpeaking, type Speaking } from "./speaking.ts";
import { NO_FLOOR, reduceFloor } from "./turn-taking.ts";

/** Interval at which audio levels are read. */
const LEVEL_INTERVAL_MS = 200;

/** Delay before joining again after a temporary failure. */
const REJOIN_DELAY_MS = 2_000;

/** Events after which the router is updated. */
const ROUTING_EVENTS: readonly CallEvent["is"][] = [
  "joined",
  "resumed",
  "participant:joined",
  "participant:updated",
  "participant:left",
  "topology",
];

/** Identifies the participant that comes back. */
type Identity = Pick<Payload<"room:join">, "replaces" | "resume" | "last">;

export interface SessionOptions {
  signaling: Signaling;
  media: LocalMediaDevices;
  request: JoinRequest;
  joined: Joined;
  /** Ids that the participant had before in this tab and room. */
  formerIds: readonly ParticipantId[];
  platform: RtcPlatform;
  /** Secret by which rooms recognize this browser. */
  device: string;
  /** The tab's session storage. */
  tab?: KeyValueStorage | undefined;
}

/** One call, from the answer to its join until it ends. */
export class Session implements Call {
  readonly #signaling: Signaling;
  readonly #media: LocalMediaDevices;
  readonly #request: JoinRequest;
  readonly #router: MediaRouter;
  readonly #observer: StatsObserver;
  readonly #outbox: Outbox;
  /** Separate, so that the rate limit of chat does not delay signaling. */
  readonly #chatOutbox: Outbox;
  readonly #state: Store<CallState>;
  readonly #device: string;
  readonly hosting: Hosting;
  readonly polling: Polling;
  readonly files: FileExchange;
  readonly #cleanups: (() => void)[] = [];
  #resumeToken: string;
  /** The server process that has the links to the media server. */
  #instance: string | undefined;
  /** Sequence number of the last event. */
  #lastEvent: number;
  /** Left because the page went into the back/forward cache; it may return. */
  #suspended = false;
  /** In the waiting room, since the participant could not be restored. */
  #isWaiting = false;
  #hand = false;
  #speaking: Speaking = new Map();
  #floor = NO_FLOOR;
  /** Levels of the participants that are received through the media server. */
  #speakers: readonly Speaker[] = [];
  #chatSerial = 0;
  /** Joins again so far: only the last one counts. */
  #joinAttempt = 0;
  #iceServers: readonly IceServer[] = [];
  #rejoinTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SessionOptions) {
    const { signaling, media, request, joined, formerIds, platform, device, tab } = options;
    this.#signaling = signaling;
    this.#device = device;
    this.hosting = hostingOver(signaling);
    this.polling = pollingOver(signaling, (poll, options) =>
      this.#dispatch({ is: "poll:voted", poll, options }),
    );
    this.#media = media;
    this.#request = request;
    this.#resumeToken = joined.resume;
    this.#instance = joined.instance;
    this.#lastEvent = joined.last;
    this.#state = new Store(newCall(joined, formerIds));
    this.#outbox = new Outbox((event, payload, done) => signaling.send(event, payload, done));
    this.#chatOutbox = new Outbox((event, payload, done) => signaling.send(event, payload, done));
    this.#router = new MediaRouter({
      ...platform,
      send: (event, payload, done) => this.#outbox.send(event, payload, done),
      onParticipant: (id, connection, streams) =>
        this.#dispatch({ is: "link", id, connection, ...streams }),
      onSfuUnreachable: (unreachable) => this.#dispatch({ is: "sfu:unreachable", unreachable }),
      onSfuLost: () => signaling.probe("media", this.#mediaState()),
    });
    this.files = new FileExchange({
      transport: this.#fileTransport(platform),
      tab,
      room: request.room,
      sendOffer: (file, to) => this.#say(file.name, to, file),
      sendWithdrawal: (file, to) =>
        this.#chatOutbox.send("file:withdraw", { file, ...(to !== undefined && { to }) }),
      onKept: ({ file, from, name, at }) => {
        const key = `kept ${file.id}`;
        const text = file.name;
        this.#dispatch({ is: "chat", from, name, text, at, isPrivate: true, key, file });
      },
    });
    this.#observer = new StatsObserver({
      connections: () => this.#router.connections(),
      owners: {
        received: (id) => this.#router.ownerOf(id),
        local: (id) => SOURCES.find((s) => media.tracks.getSnapshot()[s]?.id === id) ?? null,
      },
      self: () => this.#state.getSnapshot().self.id,
      onQualities: (qualities) => this.#dispatch({ is: "quality", qualities }),
      onReport: (report) => this.#outbox.send("report", report),
    });
    try {
      this.#begin(joined);
    } catch (error) {
      // The caller reports the error; no timer or link of the call may remain.
      this.#end(null);
      throw error;
    }
  }

  getSnapshot = (): CallState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  setHand(raised: boolean): void {
    this.#hand = raised;
    this.#sendMediaState();
  }

  sendChat(text: string, to?: ParticipantId): void {
    const trimmed = text.trim();
    if (trimmed !== "") this.#say(trimmed, to);
  }

  /** Sends a message, of text or with a file. */
  #say(text: string, to?: ParticipantId, file?: SharedFile): void {
    if (this.#isOver) return;
    const serial = ++this.#chatSerial;
    // Somebody who has just left has no name any more; the server rejects the message.
    const { name = "", alike } = this.#state.getSnapshot().others.find(({ id }) => id === to) ?? {};
    const message = {
      text,
      at: Date.now(),
      key: `own ${serial}`,
      ...(to !== undefined && { to: { id: to, name, ...(alike !== undefined && { alike }) } }),
      ...(file && { file }),
    };
    this.#dispatch({ is: "chat:own", ...message, status: "sending" });
    const payload = { text, serial, ...(to !== undefined && { to }), ...(file && { file }) };
    this.#chatOutbox.send("chat", payload, (outcome) => {
      this.#dispatch({ is: "chat:own", ...message, status: "ok" in outcome ? "sent" : "failed" });
      if (file && "error" in outcome) this.files.ifUsed((used) => used.handleRejected(file.id));
    });
  }

  react(emoji: string): void {
    // One that comes late would be out of place, so it is not sent again.
    this.#signaling.send("reaction", { emoji }, (outcome) => {
      const { id } = this.#state.getSnapshot().self;
      if ("ok" in outcome) this.#dispatch({ is: "reaction", from: id, emoji });
    });
  }

  dismissUnmuteRequest(): void {
    this.#dispatch({ is: "unmute:answered" });
  }

  setViewports(viewports: readonly Viewport[]): void {
    this.#router.setViewports(viewports);
  }

  setReception(reception: Reception): void {
    if (reception === this.#state.getSnapshot().reception) return;
    this.#dispatch({ is: "reception", reception });
    this.#router.setReception(reception);
  }

  setSendLimit(limit: SendLimit): void {
    this.#router.setSendLimit(limit);
  }

  get statistics() {
    return this.#observer.statistics;
  }

  get callFacts() {
    return this.#observer.callFacts;
  }

  leave(): void {
    if (this.#isOver) return;
    this.#signaling.send("room:leave", {}, () => {});
    this.#end(null);
  }

  /** Lets the next page of the tab replace this participant; null once the call is over. */
  get earlierJoin(): EarlierJoin | null {
    if (this.#isOver) return null;
    const { formerIds, self } = this.#state.getSnapshot();
    const ids = [...formerIds, self.id];
    return { room: this.#request.room, token: this.#resumeToken, ids };
  }

  /**
   * The page goes into the back/forward cache: leaves, and joins again once the server is reached
   * after the page returned.
   */
  suspend(): void {
    if (this.#isOver) return;
    this.#signaling.send("room:leave", {}, () => {});
    this.#suspended = true;
    this.#router.close();
  }

  /** Handles an event of the room; `number` is its sequence number there. */
  handle(event: RoomEvent, number: number | undefined): void {
    if (this.#isOver) return;
    if (number !== undefined) {
      if (number <= this.#lastEvent) return; // received before the disconnect
      this.#lastEvent = number;
    }
    switch (event.is) {
      case "participant:joined":
      case "participant:updated":
        return this.#dispatch({ is: event.is, participant: event.payload });
      case "participant:left":
        this.#dispatch({ is: event.is, id: event.payload.id });
        return this.files.ifUsed((used) => used.handleLeft(event.payload.id));
      case "topology":
        return this.#dispatch({ is: event.is, topology: event.payload.topology });
      case "chat": {
        const { from, text, at, private: isPrivate = false, file } = event.payload;
        const key = `${from} ${number}`;
        const offered = file && { file };
        return this.#dispatch({ is: event.is, from, text, at, isPrivate, key, ...offered });
      }
      case "file:signal":
        return this.files.handleSignal(event.payload);
      case "file:withdrawn":
        return this.files.handleWithdrawn(event.payload.from, event.payload.file);
      case "subscribed": {
        const { tracks } = event.payload;
        this.#dispatch({ is: event.is, tracks });
        return this.#router.handleSubscribed(tracks);
      }
      case "signal": {
        const { from, description, candidate } = event.payload;
        if (description) this.#router.handleSignal(from, { description });
        else if (candidate) this.#router.handleSignal(from, { candidate });
        return;
      }
      case "wanted": {
        const { source, shown, rids } = event.payload;
        return this.#router.handleWanted(source, { shown, rids });
      }
      case "refused":
        return this.#router.handleRefused(event.payload);
      case "handover":
        return this.#router.handleHandover(event.payload.from, event.payload.topology);
      case "ice:servers":
        return this.#setIceServers(event.payload.iceServers);
      case "muted": {
        const { by, sources } = event.payload;
        this.#dispatch({ is: event.is, by, sources });
        return this.#turnOff(sources);
      }
      case "unmute":
        return this.#dispatch({ is: event.is, ...event.payload });
      case "hand_lowered":
        this.#dispatch({ is: event.is, by: event.payload.by });
        // The server counts it as raised again only after it was lowered here.
        return this.setHand(false);
      case "spotlight":
        return this.#dispatch({ is: event.is, ids: event.payload.participants });
      case "reaction":
        return this.#dispatch({ is: event.is, ...event.payload });
      case "poll":
        return this.#dispatch({ is: event.is, poll: event.payload });
      case "poll:removed":
        return this.#dispatch({ is: event.is, poll: event.payload.poll });
      case "room:settings":
        return this.#dispatch({ is: "settings", ...event.payload });
      case "room:dismissed":
        return this.#end(new RequestError(event.payload.reason, "a host decided so"));
      case "waiting:joined":
        return this.#dispatch({ is: event.is, waiting: event.payload });
      case "waiting:left":
        return this.#dispatch({ is: event.is, id: event.payload.id });
      case "speakers":
        this.#speakers = event.payload.speakers;
        return;
    }
  }

  /** A host admits the call that came back and had to wait. */
  admit(joined: Joined): void {
    if (!this.#isOver && this.#isWaiting) this.#rejoined(joined);
  }

  /** The network changed. */
  wake(): void {
    this.#router.wake();
    this.files.ifUsed((used) => used.wake());
  }

  get #isOver(): boolean {
    return this.#state.getSnapshot().status === "ended";
  }

  /** A host muted this participant. */
  #turnOff(sources: readonly TrackSource[]): void {
    if (sources.includes("microphone")) void this.#media.setMicrophone(false);
    if (sources.includes("camera")) void this.#media.setCamera(false);
    if (sources.includes("screen")) void this.#media.setScreen(false);
  }

  #begin(joined: Joined): void {
    this.#subscribeAll();
    this.#setIceServers(joined.iceServers);
    this.files.setLimit(joined.maxFileBytes);
    this.#router.setTracks(this.#media.tracks.getSnapshot());
    this.#outbox.open();
    this.#chatOutbox.open();
    this.#dispatch({ is: "joined", joined });
    this.#sendMediaState();
    this.files.resume(this.#present);
  }

  get #present(): readonly ParticipantId[] {
    return this.#state.getSnapshot().others.map(({ id }) => id);
  }

  #setIceServers(iceServers: readonly IceServer[]): void {
    this.#iceServers = iceServers;
    this.#router.setIceServers(iceServers);
  }

  #fileTransport({ createPeer }: RtcPlatform): FileTransport {
    return {
      createPeer,
      iceServers: () => this.#iceServers,
      signal: (to, file, attempt, content, done) =>
        this.#outbox.send("file:signal", { to, file, attempt, ...content }, (outcome) => {
          if ("ok" in outcome) return done?.(null);
          const { code } = outcome.error;
          done?.(code === "forbidden" || code === "no_such_participant" ? code : "other");
        }),
      nameOf: (id) => this.#state.getSnapshot().others.find((other) => other.id === id)?.name,
      now: () => performance.now(),
    };
  }

  /** Subscribes to the connection, the devices and the audio levels until the call ends. */
  #subscribeAll(): void {
    const cleanups = this.#cleanups;
    const levelTimer = setInterval(() => this.#readLevels(), LEVEL_INTERVAL_MS);
    // One at a time: if a subscription throws, those before it are still cleaned up.
    cleanups.push(() => clearInterval(levelTimer));
    cleanups.push(this.#signaling.onConnected(() => this.#rejoin()));
    cleanups.push(this.#signaling.onDisconnected(() => this.#disconnected()));
    const { tracks, level } = this.#media;
    cleanups.push(tracks.subscribe(() => this.#router.setTracks(tracks.getSnapshot())));
    cleanups.push(this.#media.subscribe(() => this.#sendMediaState()));
    cleanups.push(level.subscribe(() => {}));
  }

  #dispatch(event: CallEvent): void {
    this.#state.update((call) => reduceCall(call, event));
    const call = this.#state.getSnapshot();
    if (ROUTING_EVENTS.includes(event.is) || event.is === "settings") {
      this.#router.setRights(mediaRights(call));
    }
    if (ROUTING_EVENTS.includes(event.is)) this.#router.update(call);
    // A new role or policy may forbid what is on.
    if (event.is === "participant:updated" || event.is === "settings") {
      this.#sendMediaState();
      if (!maySendFiles(call)) this.files.ifUsed((used) => used.stopSending());
    }
  }

  #disconnected(): void {
    clearTimeout(this.#rejoinTimer);
    this.#isWaiting = false;
    this.#outbox.hold();
    this.#chatOutbox.hold();
    this.#dispatch({ is: "disconnected" });
  }

  #rejoin(): void {
    // A suspended page has no links left to resume.
    this.#join(
      this.#suspended
        ? { replaces: this.#resumeToken }
        : { resume: this.#resumeToken, last: this.#lastEvent },
    );
  }

  #join(identity: Identity): void {
    const attempt = ++this.#joinAttempt;
    const isCurrent = () => !this.#isOver && attempt === this.#joinAttempt;
    const join = (outcome: Outcome<Credentials>) => {
      // The connection was lost while the token was fetched.
      if (!isCurrent() || !this.#signaling.connected) return;
      if ("error" in outcome) {
        this.#rejoinTimer = setTimeout(() => this.#join(identity), REJOIN_DELAY_MS);
        return;
      }
      this.#sendJoin({ ...outcome.ok, ...identity });
    };
    // A resume presents a token of its own.
    if (identity.resume !== undefined) join({ ok: credentials(this.#request) });
    else fetchCredentials(this.#request, join);
  }

  #sendJoin(identified: Credentials & Identity): void {
    const request = {
      ...identified,
      device: this.#device,
      sfu: true,
      media: this.#mediaState(),
    };
    this.#signaling.send("room:join", request, (outcome) => {
      if (this.#isOver) return;
      if ("ok" in outcome) return this.#rejoined(outcome.ok);
      switch (outcome.error.code) {
        case "resume_expired":
          return this.#join({});
        case "waiting":
          this.#isWaiting = true;
          return; // until a host admits or dismisses
        case "unreachable":
          return; // the next connection tries again
        case "timeout":
        case "rate_limited":
        case "server_full":
        case "server_draining":
        case "internal":
          this.#rejoinTimer = setTimeout(() => this.#rejoin(), REJOIN_DELAY_MS);
          return;
        default:
          // An earlier attempt may have been processed though its answer was lost.
          this.#signaling.send("room:leave", {}, () => {});
          return this.#end(outcome.error);
      }
    });
  }

  /** In the room again: as the same participant, or as a new one without any links. */
  #rejoined(joined: Joined): void {
    this.#resumeToken = joined.resume;
    this.#suspended = false;
    this.#isWaiting = false;
    const isNewServer = joined.instance !== this.#instance;
    this.#instance = joined.instance;
    if (!joined.resumed) {
      this.#lastEvent = joined.last;
      this.#outbox.clear();
      this.#speakers = [];
      this.#router.close();
    }
    this.#setIceServers(joined.iceServers);
    this.files.setLimit(joined.maxFileBytes);
    if (isNewServer) this.#outbox.discard(isForSfu);
    this.#outbox.open();
    this.#chatOutbox.open();
    this.#dispatch({ is: joined.resumed ? "resumed" : "joined", joined });
    this.#sendMediaState();
    if (joined.resumed) this.#router.restart(isNewServer);
    if (joined.resumed) this.files.ifUsed((used) => used.wake());
    else this.files.restart(this.#present);
  }

  #mediaState(): MediaState {
    return mediaStateOf(this.#media.getSnapshot(), this.#hand);
  }

  #sendMediaState(): void {
    if (this.#isOver) return;
    const media = this.#mediaState();
    const forbidden = forbiddenSources(media, this.#state.getSnapshot());
    // Each is turned off at once, which leads back here.
    if (forbidden.length > 0) return this.#turnOff(forbidden);
    if (isSameMedia(media, this.#state.getSnapshot().self.media)) return;
    this.#dispatch({ is: "media", media });
    this.#outbox.send("media", media);
  }

  #readLevels(): void {
    const { self, others } = this.#state.getSnapshot();
    const now = performance.now();
    const levels = this.#router.levels();
    for (const { participant, level } of this.#speakers) {
      levels.set(participant, Math.max(levels.get(participant) ?? 0, linearLevel(level)));
    }
    levels.set(self.id, this.#media.level.linear);
    this.#speaking = reduceSpeaking(this.#speaking, levels, now);
    const loudestFirst = [...this.#speaking.keys()]
      .filter((id) => id !== self.id)
      .sort((a, b) => (levels.get(b) ?? 0) - (levels.get(a) ?? 0));
    const present = others.map(({ id }) => id);
    this.#floor = reduceFloor(this.#floor, loudestFirst, present, now);
    const { speaker } = this.#floor;
    this.#dispatch({ is: "speaking", ids: new Set(this.#speaking.keys()), speaker });
  }

  #end(error: RequestError | null): void {
    clearTimeout(this.#rejoinTimer);
    for (const cleanup of this.#cleanups) cleanup();
    this.#outbox.clear();
    this.#chatOutbox.clear();
    this.#observer.close();
    this.#router.close();
    this.files.close(false);
    this.#dispatch({ is: "ended", error: error && { code: error.code, message: error.message } });
  }
}

/** Sources that are on though the room does not permit them. */
function forbiddenSources(media: MediaState, call: CallState): TrackSource[] {
  const on: [boolean, TrackSource][] = [
    [media.mic, "microphone"],
    [media.camera, "camera"],
    [media.screen, "screen"],
  ];
  return on.flatMap(([isOn, source]) => (isOn && !mayPublish(call, source) ? [source] : []));
}

/** Belongs to a link to the media server. */
function isForSfu(event: CallRequest, payload: object): boolean {
  return event === "publish" || (event === "signal" && "to" in payload && payload.to === SFU);
}
