// A call at its edge: what the server says goes into the call as a value, what the value asks for
// is done to links, and what this device does is told to the server.
import { after, begun, type Message } from "./call.ts";
import type { RequestError } from "./errors.ts";
import type { Call, CallState, JoinRequest } from "./face.ts";
import type { Media } from "./media.ts";
import type { Mesh, MeshOptions } from "./mesh.ts";
import type { Signal } from "./negotiation.ts";
import { Outbox } from "./outbox.ts";
import type { Joined, MediaState } from "./protocol.ts";
import type { Signaling } from "./signaling.ts";
import { afterListening, type Heard } from "./speaking.ts";
import { Store } from "./store.ts";

/** How often loudness is looked at, in milliseconds. */
const LISTENING = 200;

/** How long to wait before trying to join again where the server can't just now. */
const AGAIN = 2_000;

export interface SessionOptions {
  signaling: Signaling;
  media: Media;
  request: JoinRequest;
  joined: Joined;
  createMesh: (options: Pick<MeshOptions, "send" | "changed">) => Mesh;
}

/** One call, from the answer to its join until it ends. */
export class Session implements Call {
  readonly #signaling: Signaling;
  readonly #media: Media;
  readonly #request: JoinRequest;
  readonly #mesh: Mesh;
  readonly #outbox: Outbox;
  readonly #state: Store<CallState>;
  readonly #undo: (() => void)[] = [];
  #resume: string;
  #last: number;
  #hand = false;
  #heard: Heard = new Map();
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor({ signaling, media, request, joined, createMesh }: SessionOptions) {
    this.#signaling = signaling;
    this.#media = media;
    this.#request = request;
    this.#resume = joined.resume;
    this.#last = joined.last;
    this.#state = new Store(begun(joined));
    this.#outbox = new Outbox((event, payload, done) => signaling.send(event, payload, done));
    this.#mesh = createMesh({
      send: (to, signal) => this.#outbox.say("signal", { to, ...signal }),
      changed: (id, connection, stream) => this.#take({ is: "link", id, connection, stream }),
    });
    this.#follow();
    this.#mesh.setIceServers(joined.iceServers);
    this.#mesh.setTracks(media.tracks.getSnapshot());
    this.#outbox.open();
    this.#take({ is: "joined", joined });
    this.#tellMedia();
  }

  getSnapshot = (): CallState => this.#state.getSnapshot();

  subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);

  setHand(raised: boolean): void {
    this.#hand = raised;
    this.#tellMedia();
  }

  leave(): void {
    if (this.#over) return;
    this.#signaling.send("room:leave", {}, () => {});
    this.#end(null);
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
        return this.#mesh.handle(event.from, event.signal);
      case "ice:servers":
        return this.#mesh.setIceServers(event.iceServers);
      default:
        return this.#take(event);
    }
  }

  /** The network is back. */
  wake(): void {
    this.#mesh.restartUnlessWell();
  }

  get #over(): boolean {
    return this.#state.getSnapshot().status === "ended";
  }

  /** Follows connection, devices and voices until the call ends. */
  #follow(): void {
    const listening = setInterval(() => this.#listen(), LISTENING);
    this.#undo.push(
      this.#signaling.onConnected(() => this.#rejoin()),
      this.#signaling.onDropped(() => this.#dropped()),
      this.#media.tracks.subscribe(() => this.#mesh.setTracks(this.#media.tracks.getSnapshot())),
      this.#media.subscribe(() => this.#tellMedia()),
      this.#media.level.subscribe(() => {}),
      () => clearInterval(listening),
    );
  }

  #take(message: Message): void {
    this.#state.update((call) => after(call, message));
    const { self, others } = this.#state.getSnapshot();
    if (message.is !== "link" && message.is !== "speaking") {
      this.#mesh.reconcile(
        self.id,
        others.map(({ id }) => id),
      );
    }
  }

  #dropped(): void {
    clearTimeout(this.#again);
    this.#outbox.hold();
    this.#take({ is: "dropped" });
  }

  #rejoin(): void {
    const { room, name, password } = this.#request;
    this.#join({ resume: this.#resume, last: this.#last }, { room, name, password });
  }

  #join(
    resume: { resume?: string; last?: number },
    { room, name, password }: { room: string; name: string; password: string | undefined },
  ): void {
    const request = {
      room,
      name,
      ...(password !== undefined && { password }),
      ...resume,
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
    if (!joined.resumed) {
      this.#last = joined.last;
      this.#outbox.clear();
      this.#mesh.close();
    }
    this.#mesh.setIceServers(joined.iceServers);
    this.#outbox.open();
    this.#take({ is: joined.resumed ? "resumed" : "joined", joined });
    this.#tellMedia();
    if (joined.resumed) this.#mesh.restart();
  }

  #mediaState(): MediaState {
    const { microphone, camera } = this.#media.getSnapshot();
    return { mic: microphone.on, camera: camera.on, screen: false, hand: this.#hand };
  }

  #tellMedia(): void {
    if (this.#over) return;
    const media = this.#mediaState();
    const known = this.#state.getSnapshot().self.media;
    const same = (Object.keys(media) as (keyof MediaState)[]).every((k) => media[k] === known[k]);
    if (same) return;
    this.#take({ is: "media", media });
    this.#outbox.say("media", media);
  }

  #listen(): void {
    const { self } = this.#state.getSnapshot();
    const levels = this.#mesh.levels().set(self.id, this.#media.level.linear);
    this.#heard = afterListening(this.#heard, levels, performance.now());
    this.#take({ is: "speaking", ids: new Set(this.#heard.keys()) });
  }

  #end(error: RequestError | null): void {
    clearTimeout(this.#again);
    for (const undo of this.#undo) undo();
    this.#outbox.clear();
    this.#mesh.close();
    this.#take({ is: "ended", error: error && { code: error.code, message: error.message } });
  }
}

/** The server's events that a call hears. */
export type SessionEvent =
  | Extract<Message, { is: "participant:joined" | "participant:updated" | "participant:left" }>
  | Extract<Message, { is: "topology" }>
  | { is: "signal"; from: string; signal: Signal }
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
  signaling.on("ice:servers", ({ iceServers }, n) => handle({ is: "ice:servers", iceServers }, n));
  signaling.on("signal", ({ from, description, candidate }, n) => {
    if (description) handle({ is: "signal", from, signal: { description } }, n);
    else if (candidate) handle({ is: "signal", from, signal: { candidate } }, n);
  });
}
