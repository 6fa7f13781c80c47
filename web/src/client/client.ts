// The library put together in a browser page.
import { RequestError } from "./errors.ts";
import type { Call, Client, JoinRequest, LocalMedia } from "./face.ts";
import type { LinkPlatform } from "./link.ts";
import { LiveLobby } from "./lobby.ts";
import { Media } from "./media.ts";
import { mediaStateOf } from "./media-state.ts";
import type { Joined } from "./protocol.ts";
import { hearRoom, Session } from "./session.ts";
import { openSocket, Signaling } from "./signaling.ts";

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
  const client = new PageClient(signaling, media);
  window.addEventListener("online", () => client.wake());
  // A page that is closed or left says so; one that comes back out of the cache connects again.
  window.addEventListener("pagehide", () => client.close());
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) signaling.open();
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
  #session: Session | null = null;
  /** The join under way; the answer to one that is no longer it is let go. */
  #joining: symbol | null = null;

  constructor(signaling: Signaling, media: Media) {
    this.#signaling = signaling;
    this.#media = media;
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
      const payload = {
        room,
        name,
        ...(password !== undefined && { password }),
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

  close(): void {
    this.#session?.leave();
    this.#signaling.close();
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

/** Storage, where the browser's settings allow it. */
function storage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}
