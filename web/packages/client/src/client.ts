// Assembles the library in a browser.
import type { Call, Client, JoinRequest, LocalMedia } from "./api.ts";
import { type Credentials, fetchCredentials } from "./call/credentials.ts";
import { deviceSecret } from "./call/device-secret.ts";
import { clearEarlierJoin, loadEarlierJoin, saveEarlierJoin } from "./call/earlier-join.ts";
import { mediaStateOf } from "./call/media-state.ts";
import { subscribeRoomEvents } from "./call/room-events.ts";
import type { Session } from "./call/session.ts";
import { LocalMediaDevices } from "./devices/local-media.ts";
import { type ClientOptions, type KeyValueStorage, validOptions } from "./options.ts";
import type { Joined, ParticipantId } from "./protocol.ts";
import type { RtcPlatform } from "./rtc/platform.ts";
import { RequestError } from "./signaling/errors.ts";
import { LiveLobby } from "./signaling/lobby.ts";
import { openSocket, Signaling } from "./signaling/signaling.ts";

const platform: RtcPlatform = {
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  createStream: (tracks) => new MediaStream(tracks),
};

/**
 * Connects to a moim server, by default that of the page, and stays connected until `close`. It opens
 * no device and joins no room by itself. Needs a browser; importing the library does not. Throws a
 * `TypeError` if `options.server` is no origin.
 */
export function createClient(options: ClientOptions = {}): Client {
  const { server, storage, tabStorage } = validOptions(options, location.origin, window);
  const signaling = new Signaling(openSocket(server));
  const media = new LocalMediaDevices({
    devices: navigator.mediaDevices,
    permissions: navigator.permissions,
    storage,
    createStream: platform.createStream,
  });
  const listeners = new AbortController();
  const { signal } = listeners;
  const client = new PageClient({
    signaling,
    media,
    device: deviceSecret(storage),
    storage: tabStorage,
    listeners,
    loadSession,
  });
  window.addEventListener("online", () => client.wake(), { signal });
  const sendBeacon = (path: string, packet: string) =>
    navigator.sendBeacon(new URL(path, server ?? location.href), packet);
  // A closed page leaves its call; one that returns from the back/forward cache joins again.
  window.addEventListener("pagehide", ({ persisted }) => client.hide(persisted, sendBeacon), {
    signal,
  });
  const show = ({ persisted }: PageTransitionEvent) => persisted && client.show();
  window.addEventListener("pageshow", show, { signal });
  signaling.open();
  return client;
}

type SessionClass = typeof Session;

/** A script of its own: a page that shows the rooms is there sooner without it. */
const loadSession = async (): Promise<SessionClass> => (await import("./call/session.ts")).Session;

export interface ClientParts {
  signaling: Signaling;
  media: LocalMediaDevices;
  /** Secret by which rooms recognize this browser. */
  device: string;
  /** Outlives the page, but not its tab. */
  storage?: KeyValueStorage | undefined;
  /** Aborts the listeners of the page. */
  listeners?: AbortController;
  loadSession: () => Promise<SessionClass>;
}

/** A join that is not decided yet; the answer to any other is ignored. */
interface PendingJoin {
  readonly request: JoinRequest;
  /** In the waiting room. */
  isWaiting: boolean;
  readonly resolve: (call: Call) => void;
  readonly reject: (error: RequestError) => void;
}

/** The client on top of a connection and this device's media. */
export class PageClient implements Client {
  readonly server;
  readonly lobby;
  readonly media: LocalMedia;
  readonly #signaling: Signaling;
  readonly #media: LocalMediaDevices;
  readonly #device: string;
  readonly #storage: KeyValueStorage | undefined;
  readonly #listeners: AbortController | undefined;
  readonly #loadSession: () => Promise<SessionClass>;
  /** Null until its script has loaded. */
  #sessionClass: SessionClass | null = null;
  #session: Session | null = null;
  #isClosed = false;
  /** The pending join. */
  #joining: PendingJoin | null = null;

  constructor({ signaling, media, device, storage, listeners, loadSession }: ClientParts) {
    this.#signaling = signaling;
    this.#media = media;
    this.#device = device;
    this.#storage = storage;
    this.#listeners = listeners;
    this.#loadSession = loadSession;
    this.server = signaling.state;
    this.lobby = new LiveLobby(signaling, device);
    this.media = media;
    subscribeRoomEvents(signaling, (event, number) => {
      if (event.is === "room:dismissed" && this.#joining?.isWaiting) {
        return this.#fail(this.#joining, new RequestError(event.payload.reason, "not admitted"));
      }
      this.#session?.handle(event, number);
    });
    signaling.on("room:admitted", (joined) => {
      if (this.#joining?.isWaiting) this.#succeed(this.#joining, joined);
      else this.#session?.admit(joined);
    });
    // The server forgets who waits on a connection that is lost.
    signaling.onConnected(() => {
      if (this.#joining?.isWaiting) this.#send(this.#joining);
    });
  }

  join(request: JoinRequest): Promise<Call> {
    if (this.#isClosed) {
      return Promise.reject(new RequestError("cancelled", "the client was closed"));
    }
    this.#session?.leave();
    // A leave sent after the next join would leave that one's room.
    if (this.#joining) {
      this.#leave();
      this.#fail(this.#joining, new RequestError("cancelled", "another room was joined meanwhile"));
    }
    return new Promise((resolve, reject) => {
      this.#joining = { request, isWaiting: false, resolve, reject };
      this.#send(this.#joining);
    });
  }

  async prepare(): Promise<void> {
    try {
      this.#sessionClass ??= await this.#loadSession();
    } catch (cause) {
      const error = new RequestError("unreachable", "the script of a call could not be loaded");
      error.cause = cause;
      throw error;
    }
  }

  cancelJoin(): void {
    if (!this.#joining) return;
    this.#leave();
    this.#fail(this.#joining, new RequestError("cancelled", "the join was cancelled"));
  }

  #send(joining: PendingJoin): void {
    // First, since a call begins within the answer to its join.
    if (!this.#sessionClass) {
      const ifPending = (act: () => void) => this.#joining === joining && act();
      this.prepare().then(
        () => ifPending(() => this.#send(joining)),
        (error: RequestError) => ifPending(() => this.#fail(joining, error)),
      );
      return;
    }
    fetchCredentials(joining.request, (outcome) => {
      if (this.#joining !== joining) return; // rejected already
      if ("ok" in outcome) this.#sendJoin(joining, outcome.ok);
      else this.#fail(joining, outcome.error);
    });
  }

  #sendJoin(joining: PendingJoin, credentials: Credentials): void {
    const earlier = loadEarlierJoin(this.#storage, joining.request.room);
    const payload = {
      ...credentials,
      ...(earlier && { replaces: earlier.token }),
      device: this.#device,
      sfu: true,
      media: mediaStateOf(this.#media.getSnapshot(), false),
    };
    // The session is created within the callback, before the events that follow the answer.
    this.#signaling.send("room:join", payload, (outcome) => {
      if (this.#joining !== joining) return; // rejected already
      if ("ok" in outcome) return this.#succeed(joining, outcome.ok, earlier?.ids);
      const { code } = outcome.error;
      if (code === "waiting") {
        joining.isWaiting = true;
        joining.request.onWaiting?.();
        return;
      }
      // Whoever waits goes on waiting, on the next connection.
      if (joining.isWaiting && (code === "unreachable" || code === "timeout")) return;
      // The server may have processed the join nevertheless.
      if (code === "timeout") this.#leave();
      this.#fail(joining, outcome.error);
    });
  }

  #succeed(joining: PendingJoin, joined: Joined, formerIds: readonly ParticipantId[] = []): void {
    this.#joining = null;
    clearEarlierJoin(this.#storage);
    try {
      joining.resolve(this.#begin(joining.request, joined, formerIds));
    } catch (error) {
      // The call could not begin: do not occupy a place in the room.
      this.#leave();
      joining.reject(new RequestError("internal", `the call could not begin: ${error}`));
    }
  }

  #fail(joining: PendingJoin, error: RequestError): void {
    this.#joining = null;
    joining.reject(error);
  }

  #leave(): void {
    this.#signaling.send("room:leave", {}, () => {});
  }

  wake(): void {
    this.#signaling.wake();
    this.#session?.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#listeners?.abort();
    this.cancelJoin();
    this.#session?.leave();
    this.#media.close();
    this.#signaling.close();
  }

  /** The page is unloaded, or `persisted` in the back/forward cache. */
  hide(persisted: boolean, sendBeacon: (path: string, packet: string) => unknown): void {
    const join = this.#session?.earlierJoin;
    // The leave may not arrive: some browsers close the socket before this event.
    if (join) saveEarlierJoin(this.#storage, join);
    this.#session?.files.close(true);
    if (persisted) this.#session?.suspend();
    else this.#session?.leave();
    this.#signaling.leavePage(sendBeacon);
  }

  /** The page returned from the back/forward cache. */
  show(): void {
    clearEarlierJoin(this.#storage);
    this.#signaling.open();
  }

  #begin(request: JoinRequest, joined: Joined, formerIds: readonly ParticipantId[]): Session {
    if (!this.#sessionClass) throw new Error("a call before its script was loaded");
    this.#session = new this.#sessionClass({
      signaling: this.#signaling,
      media: this.#media,
      request,
      joined,
      formerIds,
      platform,
      device: this.#device,
      tab: this.#storage,
    });
    return this.#session;
  }
}
