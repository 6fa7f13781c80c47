// A call at its edge: what the server says goes into the call as a value, what the value asks for
// is done to links, and what this device does is told to the server.
import { after, begun, type Message } from "./call.ts";
import type { EarlierJoin } from "./earlier-join.ts";
import type { Wanted } from "../rtc/encoding.ts";
import type { RequestError } from "../signaling/errors.ts";
import type { Call, CallState, JoinRequest } from "../api.ts";
import type { LinkPlatform } from "../topology/mesh-link.ts";
import type { Media } from "../devices/local-media.ts";
import { isSameMedia, mediaStateOf } from "./media-state.ts";
import type { Signal } from "../rtc/negotiation.ts";
import { Observer } from "../stats/observer.ts";
import { Outbox } from "../signaling/outbox.ts";
import { Paths } from "../topology/router.ts";
import type {
  Joined,
  MediaState,
  ParticipantId,
  RefusedEvent,
  Speaker,
  SubscribedTrack,
  Topology,
} from "../protocol.ts";
import type { Signaling } from "../signaling/signaling.ts";
import { SOURCES, type Source } from "../rtc/source.ts";
import { afterListening, type Heard, loudnessOf } from "./speaking.ts";
import { Store } from "../store.ts";
import { afterTurn, NO_FLOOR } from "./turn-taking.ts";
import type { Sight } from "../topology/viewport.ts";

/** How often loudness is looked at, in milliseconds. */
const LISTENING = 200;

/** How long to wait before trying to join again where the server can't just now. */
const AGAIN = 2_000;

/** After these the links are brought in line. */
const TELLS_WHO_IS_THERE: readonly Message["is"][] = [
  "joined",
  "resumed",
  "participant:joined",
  "participant:updated",
  "participant:left",
  "topology",
];

export interface SessionOptions {
  signaling: Signaling;
  media: Media;
  request: JoinRequest;
  joined: Joined;
  platform: LinkPlatform;
}

/** One call, from the answer to its join until it ends. */
export class Session implements Call {
  readonly #signaling: Signaling;
  readonly #media: Media;
  readonly #request: JoinRequest;
  readonly #paths: Paths;
  readonly #observer: Observer;
  readonly #outbox: Outbox;
  /** Apart from the rest, since who chats too fast is held back. */
  readonly #chatbox: Outbox;
  readonly #state: Store<CallState>;
  readonly #undo: (() => void)[] = [];
  #resume: string;
  #last: number;
  /** It left, and the page may be back. */
  #suspended = false;
  #hand = false;
  #heard: Heard = new Map();
  #floor = NO_FLOOR;
  /** As the media server hears those who are received through it. */
  #speakers: readonly Speaker[] = [];
  #chatted = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor({ signaling, media, request, joined, platform }: SessionOptions) {
    this.#signaling = signaling;
    this.#media = media;
    this.#request = request;
    this.#resume = joined.resume;
    this.#last = joined.last;
    this.#state = new Store(begun(joined));
    this.#outbox = new Outbox((event, payload, done) => signaling.send(event, payload, done));
    this.#chatbox = new Outbox((event, payload, done) => signaling.send(event, payload, done));
    this.#paths = new Paths({
      ...platform,
      say: (event, payload, done) => this.#outbox.say(event, payload, done),
      changed: (id, connection, shown) => this.#take({ is: "link", id, connection, ...shown }),
      cutOff: (cutOff) => this.#take({ is: "cut off", cutOff }),
    });
    this.#observer = new Observer({
      lines: () => this.#paths.lines(),
      owners: {
        received: (id) => this.#paths.ownerOf(id),
        own: (id) => SOURCES.find((s) => media.tracks.getSnapshot()[s]?.id === id) ?? null,
      },
      self: () => this.#state.getSnapshot().self.id,
      judged: (of) => this.#take({ is: "quality", of }),
    });
    try {
      this.#begin(joined);
    } catch (error) {
      // Half a call would go on unseen: whoever joins is told, and nothing stays.
      this.#end(null);
      throw error;
    }
  }

  getSnapshot = (): CallState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  setHand(raised: boolean): void {
    this.#hand = raised;
    this.#tellMedia();
  }

  say(text: string): void {
    const said = text.trim();
    if (this.#over || said === "") return;
    const serial = ++this.#chatted;
    const entry = { text: said, at: Date.now(), key: `own ${serial}` };
    this.#take({ is: "said", ...entry, status: "sending" });
    this.#chatbox.say("chat", { text: said, serial }, (outcome) => {
      this.#take({ is: "said", ...entry, status: "ok" in outcome ? "sent" : "failed" });
    });
  }

  show(sights: readonly Sight[]): void {
    this.#paths.setSights(sights);
  }

  get statistics() {
    return this.#observer.statistics;
  }

  leave(): void {
    if (this.#over) return;
    this.#signaling.send("room:leave", {}, () => {});
    this.#end(null);
  }

  /** What lets a page that comes in this one's stead take its place; null once the call is over. */
  get place(): EarlierJoin | null {
    return this.#over ? null : { room: this.#request.room, token: this.#resume };
  }

  /**
   * The page is put away and perhaps brought back (back/forward cache): leaves, and joins anew once
   * the server is reached again.
   */
  suspend(): void {
    if (this.#over) return;
    this.#signaling.send("room:leave", {}, () => {});
    this.#suspended = true;
    this.#paths.close();
  }

  /** An event of the room; `number` is its number there. */
  handle(event: SessionEvent, number: number | undefined): void {
    if (this.#over) return;
    if (number !== undefined) {
      if (number <= this.#last) return; // had before the drop
      this.#last = number;
    }
    switch (event.is) {
      case "signal":
        return this.#paths.handleSignal(event.from, event.signal);
      case "subscribed":
        this.#take(event);
        return this.#paths.handleSubscribed(event.tracks);
      case "wanted":
        return this.#paths.handleWanted(event.source, event.wanted);
      case "refused":
        return this.#paths.handleRefused(event.refused);
      case "handover":
        return this.#paths.handleHandover(event.from, event.topology);
      case "speakers":
        this.#speakers = event.speakers;
        return;
      case "ice:servers":
        return this.#paths.setIceServers(event.iceServers);
      case "chat": {
        const { from, text, at } = event;
        return this.#take({ is: "chat", from, text, at, key: `${from} ${number}` });
      }
      default:
        return this.#take(event);
    }
  }

  /** The network is back. */
  wake(): void {
    this.#paths.wake();
  }

  get #over(): boolean {
    return this.#state.getSnapshot().status === "ended";
  }

  #begin(joined: Joined): void {
    this.#follow();
    this.#paths.setIceServers(joined.iceServers);
    this.#paths.setTracks(this.#media.tracks.getSnapshot());
    this.#outbox.open();
    this.#chatbox.open();
    this.#take({ is: "joined", joined });
    this.#tellMedia();
  }

  /** Follows connection, devices and voices until the call ends. */
  #follow(): void {
    const listening = setInterval(() => this.#listen(), LISTENING);
    const undo = this.#undo;
    undo.push(() => clearInterval(listening));
    undo.push(this.#signaling.onConnected(() => this.#rejoin()));
    undo.push(this.#signaling.onDropped(() => this.#dropped()));
    const { tracks, level } = this.#media;
    undo.push(tracks.subscribe(() => this.#paths.setTracks(tracks.getSnapshot())));
    undo.push(this.#media.subscribe(() => this.#tellMedia()));
    undo.push(level.subscribe(() => {}));
  }

  #take(message: Message): void {
    this.#state.update((call) => after(call, message));
    if (TELLS_WHO_IS_THERE.includes(message.is)) this.#paths.update(this.#state.getSnapshot());
  }

  #dropped(): void {
    clearTimeout(this.#again);
    this.#outbox.hold();
    this.#chatbox.hold();
    this.#take({ is: "dropped" });
  }

  #rejoin(): void {
    const { room, name, password } = this.#request;
    // A page that was put away has no links that could go on.
    const as = this.#suspended
      ? { replaces: this.#resume }
      : { resume: this.#resume, last: this.#last };
    this.#join(as, { room, name, password });
  }

  #join(
    as: { replaces?: string; resume?: string; last?: number },
    { room, name, password }: { room: string; name: string; password: string | undefined },
  ): void {
    const request = {
      room,
      name,
      ...(password !== undefined && { password }),
      ...as,
      sfu: true,
      media: this.#mediaState(),
    };
    this.#signaling.send("room:join", request, (outcome) => {
      if (this.#over) return;
      if ("ok" in outcome) return this.#back(outcome.ok);
      switch (outcome.error.code) {
        case "resume_expired":
          return this.#join({}, { room, name, password });
        case "unreachable":
          return; // the next connection tries again
        case "timeout":
        case "rate_limited":
        case "server_full":
        case "internal":
          this.#again = setTimeout(() => this.#rejoin(), AGAIN);
          return;
        default:
          return this.#end(outcome.error);
      }
    });
  }

  /** In the room again: as the same participant, or as a new one to whom all others are new. */
  #back(joined: Joined): void {
    this.#resume = joined.resume;
    this.#suspended = false;
    if (!joined.resumed) {
      this.#last = joined.last;
      this.#outbox.clear();
      this.#speakers = [];
      this.#paths.close();
    }
    this.#paths.setIceServers(joined.iceServers);
    this.#outbox.open();
    this.#chatbox.open();
    this.#take({ is: joined.resumed ? "resumed" : "joined", joined });
    this.#tellMedia();
    if (joined.resumed) this.#paths.restart();
  }

  #mediaState(): MediaState {
    return mediaStateOf(this.#media.getSnapshot(), this.#hand);
  }

  #tellMedia(): void {
    if (this.#over) return;
    const media = this.#mediaState();
    if (isSameMedia(media, this.#state.getSnapshot().self.media)) return;
    this.#take({ is: "media", media });
    this.#outbox.say("media", media);
  }

  #listen(): void {
    const { self, others } = this.#state.getSnapshot();
    const now = performance.now();
    const levels = this.#paths.levels();
    for (const { participant, level } of this.#speakers) {
      levels.set(participant, Math.max(levels.get(participant) ?? 0, loudnessOf(level)));
    }
    levels.set(self.id, this.#media.level.linear);
    this.#heard = afterListening(this.#heard, levels, now);
    const speaking = [...this.#heard.keys()]
      .filter((id) => id !== self.id)
      .sort((a, b) => (levels.get(b) ?? 0) - (levels.get(a) ?? 0));
    const present = others.map(({ id }) => id);
    this.#floor = afterTurn(this.#floor, speaking, present, now);
    const { speaker } = this.#floor;
    this.#take({ is: "speaking", ids: new Set(this.#heard.keys()), speaker });
  }

  #end(error: RequestError | null): void {
    clearTimeout(this.#again);
    for (const undo of this.#undo) undo();
    this.#outbox.clear();
    this.#chatbox.clear();
    this.#observer.close();
    this.#paths.close();
    this.#take({ is: "ended", error: error && { code: error.code, message: error.message } });
  }
}

/** The server's events that a call hears. */
export type SessionEvent =
  | Extract<Message, { is: "participant:joined" | "participant:updated" | "participant:left" }>
  | Extract<Message, { is: "topology" }>
  | { is: "signal"; from: ParticipantId; signal: Signal }
  | { is: "subscribed"; tracks: readonly SubscribedTrack[] }
  | { is: "wanted"; source: Source; wanted: Wanted }
  | { is: "refused"; refused: RefusedEvent }
  | { is: "handover"; from: ParticipantId; topology: Topology }
  | { is: "speakers"; speakers: readonly Speaker[] }
  | { is: "chat"; from: ParticipantId; text: string; at: number }
  | { is: "ice:servers"; iceServers: Joined["iceServers"] };

/** Hears every event of a room and hands it on in the form that a call takes. */
export function hearRoom(
  signaling: Signaling,
  handle: (event: SessionEvent, number: number | undefined) => void,
): void {
  signaling.on("participant:joined", (participant, n) =>
    handle({ is: "participant:joined", participant }, n),
  );
  signaling.on("participant:updated", (participant, n) =>
    handle({ is: "participant:updated", participant }, n),
  );
  signaling.on("participant:left", ({ id }, n) => handle({ is: "participant:left", id }, n));
  signaling.on("topology", ({ topology }, n) => handle({ is: "topology", topology }, n));
  signaling.on("subscribed", ({ tracks }, n) => handle({ is: "subscribed", tracks }, n));
  signaling.on("wanted", ({ source, shown, rids }, n) =>
    handle({ is: "wanted", source, wanted: { shown, rids } }, n),
  );
  signaling.on("refused", (refused, n) => handle({ is: "refused", refused }, n));
  signaling.on("handover", ({ from, topology }, n) =>
    handle({ is: "handover", from, topology }, n),
  );
  signaling.on("speakers", ({ speakers }, n) => handle({ is: "speakers", speakers }, n));
  signaling.on("chat", ({ from, text, at }, n) => handle({ is: "chat", from, text, at }, n));
  signaling.on("ice:servers", ({ iceServers }, n) => handle({ is: "ice:servers", iceServers }, n));
  signaling.on("signal", ({ from, description, candidate }, n) => {
    if (description) handle({ is: "signal", from, signal: { description } }, n);
    else if (candidate) handle({ is: "signal", from, signal: { candidate } }, n);
  });
}
