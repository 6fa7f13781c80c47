// Assembles the library in a browser page.
import type { Call, Client, JoinRequest, LocalMedia } from "./api.ts";
import { clearEarlierJoin, loadEarlierJoin, saveEarlierJoin } from "./call/earlier-join.ts";
import { mediaStateOf } from "./call/media-state.ts";
import { subscribeRoomEvents } from "./call/room-events.ts";
import { Session } from "./call/session.ts";
import { LocalMediaDevices } from "./devices/local-media.ts";
import type { Joined } from "./protocol.ts";
import type { RtcPlatform } from "./rtc/platform.ts";
import { RequestError } from "./signaling/errors.ts";
import { LiveLobby } from "./signaling/lobby.ts";
import { openSocket, Signaling } from "./signaling/signaling.ts";

const platform: RtcPlatform = {
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  createStream: (tracks) => new MediaStream(tracks),
};

/** Connects to the page's own server, or to the one at `url`. Call it once per page. */
export function createClient(url?: string): Client {
  const signaling = new Signaling(openSocket(url));
  const media = new LocalMediaDevices({
    devices: navigator.mediaDevices,
    permissions: navigator.permissions,
    storage: localStorageIfAllowed(),
    createStream: platform.createStream,
  });
  const client = new PageClient(signaling, media, sessionStorageIfAllowed());
  window.addEventListener("online", () => client.wake());
  const sendBeacon = (path: string, packet: string) =>
    navigator.sendBeacon(new URL(path, url ?? location.href), packet);
  // A closed page leaves its call; one that returns from the back/forward cache joins again.
  window.addEventListener("pagehide", ({ persisted }) => client.hide(persisted, sendBeacon));
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) client.show();
  });
  signaling.open();
  return client;
}

/** The client on top of a connection and this device's media. */
export class PageClient implements Client {
  readonly server;
  readonly lobby;
  readonly media: LocalMedia;
  readonly #signaling: Signaling;
  readonly #media: LocalMediaDevices;
  /** Session storage: outlives the page, but not its tab. */
  readonly #storage: Storage | undefined;
  #session: Session | null = null;
  /** The pending join; the answer to any other is ignored. */
  #joining: symbol | null = null;

  constructor(signaling: Signaling, media: LocalMediaDevices, storage?: Storage) {
    this.#signaling = signaling;
    this.#media = media;
    this.#storage = storage;
    this.server = signaling.state;
    this.lobby = new LiveLobby(signaling);
    this.media = media;
    subscribeRoomEvents(signaling, (event, number) => this.#session?.handle(event, number));
  }

  join(request: JoinRequest): Promise<Call> {
    this.#session?.leave();
    // A leave sent after the next join would leave that one's room.
    if (this.#joining) this.#leave();
    const joining = Symbol();
    this.#joining = joining;
    return new Promise((resolve, reject) => {
      const { room, name, password } = request;
      const replaces = loadEarlierJoin(this.#storage, room);
      const payload = {
        room,
        name,
        ...(password !== undefined && { password }),
        ...(replaces !== undefined && { replaces }),
        sfu: true,
        media: mediaStateOf(this.#media.getSnapshot(), false),
      };
      // The session is created within the callback, before the events that follow the answer.
      this.#signaling.send("room:join", payload, (outcome) => {
        if (this.#joining !== joining) {
          reject(new RequestError("internal", "another room was joined meanwhile"));
          return;
        }
        this.#joining = null;
        if ("ok" in outcome) {
          clearEarlierJoin(this.#storage);
          try {
            resolve(this.#begin(request, outcome.ok));
          } catch (error) {
            // The call could not begin: do not occupy a place in the room.
            this.#leave();
            reject(new RequestError("internal", `the call could not begin: ${error}`));
          }
          return;
        }
        // The server may have processed the join nevertheless.
        if (outcome.error.code === "timeout") this.#leave();
        reject(outcome.error);
      });
    });
  }

  #leave(): void {
    this.#signaling.send("room:leave", {}, () => {});
  }

  wake(): void {
    this.#signaling.wake();
    this.#session?.wake();
  }

  /** The page is unloaded, or `persisted` in the back/forward cache. */
  hide(persisted: boolean, sendBeacon: (path: string, packet: string) => unknown): void {
    const join = this.#session?.earlierJoin;
    // The leave may not arrive: some browsers close the socket before this event.
    if (join) saveEarlierJoin(this.#storage, join);
    if (persisted) this.#session?.suspend();
    else this.#session?.leave();
    this.#signaling.leavePage(sendBeacon);
  }

  /** The page returned from the back/forward cache. */
  show(): void {
    clearEarlierJoin(this.#storage);
    this.#signaling.open();
  }

  #begin(request: JoinRequest, joined: Joined): Session {
    this.#session = new Session({
      signaling: this.#signaling,
      media: this.#media,
      request,
      joined,
      platform,
    });
    return this.#session;
  }
}

function sessionStorageIfAllowed(): Storage | undefined {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}

function localStorageIfAllowed(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
