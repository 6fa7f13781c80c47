// Assembles the library in a browser page.
import type { Call, Client, JoinRequest, LocalMedia } from "./api.ts";
import { deviceSecret } from "./call/device-secret.ts";
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
  const device = deviceSecret(localStorageIfAllowed());
  const client = new PageClient(signaling, media, device, sessionStorageIfAllowed());
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
  /** Session storage: outlives the page, but not its tab. */
  readonly #storage: Storage | undefined;
  #session: Session | null = null;
  /** The pending join. */
  #joining: PendingJoin | null = null;

  constructor(signaling: Signaling, media: LocalMediaDevices, device: string, storage?: Storage) {
    this.#signaling = signaling;
    this.#media = media;
    this.#device = device;
    this.#storage = storage;
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
    this.#session?.leave();
    // A leave sent after the next join would leave that one's room.
    if (this.#joining) {
      this.#leave();
      this.#fail(this.#joining, new RequestError("internal", "another room was joined meanwhile"));
    }
    return new Promise((resolve, reject) => {
      this.#joining = { request, isWaiting: false, resolve, reject };
      this.#send(this.#joining);
    });
  }

  cancelJoin(): void {
    if (!this.#joining) return;
    this.#leave();
    this.#fail(this.#joining, new RequestError("internal", "the join was cancelled"));
  }

  #send(joining: PendingJoin): void {
    const { room, name, password, token, invitation } = joining.request;
    const replaces = loadEarlierJoin(this.#storage, room);
    const payload = {
      room,
      name,
      ...(password !== undefined && { password }),
      ...(token !== undefined && { token }),
      ...(invitation !== undefined && { invitation }),
      ...(replaces !== undefined && { replaces }),
      device: this.#device,
      sfu: true,
      media: mediaStateOf(this.#media.getSnapshot(), false),
    };
    // The session is created within the callback, before the events that follow the answer.
    this.#signaling.send("room:join", payload, (outcome) => {
      if (this.#joining !== joining) {
        joining.reject(new RequestError("internal", "another room was joined meanwhile"));
        return;
      }
      if ("ok" in outcome) return this.#succeed(joining, outcome.ok);
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

  #succeed(joining: PendingJoin, joined: Joined): void {
    this.#joining = null;
    clearEarlierJoin(this.#storage);
    try {
      joining.resolve(this.#begin(joining.request, joined));
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
      device: this.#device,
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
