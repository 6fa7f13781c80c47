// The library put together in a browser page.
import { earlierJoin, forgetEarlierJoin, keepEarlierJoin } from "./call/earlier-join.ts";
import { RequestError } from "./signaling/errors.ts";
import type { Call, Client, JoinRequest, LocalMedia } from "./api.ts";
import type { LinkPlatform } from "./topology/mesh-link.ts";
import { LiveLobby } from "./signaling/lobby.ts";
import { Media } from "./devices/local-media.ts";
import { mediaStateOf } from "./call/media-state.ts";
import type { Joined } from "./protocol.ts";
import { hearRoom, Session } from "./call/session.ts";
import { openSocket, Signaling } from "./signaling/signaling.ts";

const platform: LinkPlatform = {
  createPeer: (configuration) => new RTCPeerConnection(configuration),
  createStream: (tracks) => new MediaStream(tracks),
};

/** Connects to the page's own server, or to the one at `url`. To be called once in a page. */
export function createClient(url?: string): Client {
  const signaling = new Signaling(openSocket(url));
  const media = new Media({
    devices: navigator.mediaDevices,
    permissions: navigator.permissions,
    storage: storage(),
    createStream: platform.createStream,
  });
  const client = new PageClient(signaling, media, tabStorage());
  window.addEventListener("online", () => client.wake());
  const sendBeacon = (path: string, packet: string) =>
    navigator.sendBeacon(new URL(path, url ?? location.href), packet);
  // A page that is closed or left says so; one that comes back out of the cache is in its call again.
  window.addEventListener("pagehide", ({ persisted }) => client.hide(persisted, sendBeacon));
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) client.show();
  });
  signaling.open();
  return client;
}

/** The library over a connection and this device's media. */
export class PageClient implements Client {
  readonly server;
  readonly lobby;
  readonly media: LocalMedia;
  readonly #signaling: Signaling;
  readonly #media: Media;
  /** Outlives the page, but not its tab. */
  readonly #storage: Storage | undefined;
  #session: Session | null = null;
  /** The join under way; the answer to one that is no longer it is let go. */
  #joining: symbol | null = null;

  constructor(signaling: Signaling, media: Media, storage?: Storage) {
    this.#signaling = signaling;
    this.#media = media;
    this.#storage = storage;
    this.server = signaling.state;
    this.lobby = new LiveLobby(signaling);
    this.media = media;
    hearRoom(signaling, (event, number) => this.#session?.handle(event, number));
  }

  join(request: JoinRequest): Promise<Call> {
    this.#session?.leave();
    // A leave sent after the next join would leave that one's room.
    if (this.#joining) this.#leave();
    const joining = Symbol();
    this.#joining = joining;
    return new Promise((resolve, reject) => {
      const { room, name, password } = request;
      const replaces = earlierJoin(this.#storage, room);
      const payload = {
        room,
        name,
        ...(password !== undefined && { password }),
        ...(replaces !== undefined && { replaces }),
        sfu: true,
        media: mediaStateOf(this.#media.getSnapshot(), false),
      };
      // Made within the answer's own message, so that no event behind it is missed.
      this.#signaling.send("room:join", payload, (outcome) => {
        if (this.#joining !== joining) {
          reject(new RequestError("internal", "another room was joined meanwhile"));
          return;
        }
        this.#joining = null;
        if ("ok" in outcome) {
          forgetEarlierJoin(this.#storage);
          try {
            resolve(this.#begin(request, outcome.ok));
          } catch (error) {
            // The seat is not to stay taken by a call that could not begin.
            this.#leave();
            reject(new RequestError("internal", `the call could not begin: ${error}`));
          }
          return;
        }
        // The server may have let us in all the same.
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

  /** The page is left: for good, or into the back/forward cache where it is `persisted`. */
  hide(persisted: boolean, sendBeacon: (path: string, packet: string) => unknown): void {
    const place = this.#session?.place;
    // Whether the server hears of it is not sure: a browser may have closed the socket before.
    if (place) keepEarlierJoin(this.#storage, place);
    if (persisted) this.#session?.suspend();
    else this.#session?.leave();
    this.#signaling.leavePage(sendBeacon);
  }

  /** The page is back out of the cache. */
  show(): void {
    forgetEarlierJoin(this.#storage);
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

/** Storage of the tab, where the browser's settings allow it. */
function tabStorage(): Storage | undefined {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}

/** Storage, where the browser's settings allow it. */
function storage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
