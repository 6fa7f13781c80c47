// The connection to the server: requests with an answer, and events.
import { io } from "socket.io-client";
import { RequestError } from "./errors.ts";
import type { ServerState } from "../api.ts";
import type { Reply, Requests, ServerEvents } from "../protocol.ts";
import { type Readable, Store } from "../store.ts";

/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 10_000;

/** How long to wait before connecting again where the server itself closed, in milliseconds. */
const SENT_AWAY = 2_000;

/** An Engine.IO message that holds a Socket.IO DISCONNECT. */
const DISCONNECT = "41";

export type RequestName = keyof Requests;
export type Payload<E extends RequestName> = Requests[E][0];
export type Answer<E extends RequestName> = Requests[E][1];
export type EventName = keyof ServerEvents;

/** What a request came to. */
export type Outcome<T> = { ok: T } | { error: RequestError };

/** What of a Socket.IO client socket is used here. */
export interface SocketLike {
  readonly connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  timeout(milliseconds: number): {
    emit(event: string, payload: unknown, done: (error: unknown, reply: unknown) => void): unknown;
  };
  readonly io: {
    readonly engine?: {
      close(): unknown;
      /** The Engine.IO session. */
      readonly id?: string;
      readonly transport?: { readonly name: string };
    };
  };
}

/**
 * How long a first WebSocket may take to be connected before polling is tried, in milliseconds. Some
 * proxies swallow a request to upgrade, or what follows it, and answer nothing.
 */
const WEBSOCKET_PATIENCE = 4_000;

/** How long any later attempt may take, in milliseconds: as long as Socket.IO itself allows. */
const ATTEMPT_PATIENCE = 20_000;

/**
 * A socket that keeps trying; websocket first, since it takes fewer round trips. Where that leads
 * nowhere, polling first, which becomes a WebSocket later wherever one gets through.
 */
export function openSocket(url?: string, patience = WEBSOCKET_PATIENCE): SocketLike {
  const options = {
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 300,
    reconnectionDelayMax: 5_000,
    timeout: patience,
    autoConnect: false,
  };
  const socket = url === undefined ? io(options) : io(url, options);
  const manager = socket.io;
  let stuck: ReturnType<typeof setTimeout> | undefined;
  const pollFirst = () => {
    manager.opts.transports = ["polling", "websocket"];
    manager.timeout(ATTEMPT_PATIENCE);
  };
  manager.on("error", (error: Error) => {
    if (error.message === "timeout") pollFirst();
  });
  manager.on("open", () => {
    clearTimeout(stuck);
    // Open, but what we say does not arrive or is not answered.
    stuck = setTimeout(() => {
      if (socket.connected) return;
      pollFirst();
      manager.engine?.close();
    }, patience);
  });
  manager.on("close", () => clearTimeout(stuck));
  socket.on("connect", () => clearTimeout(stuck));
  return socket;
}

/** Requests and events over one socket, typed by the protocol. */
export class Signaling {
  readonly state: Readable<ServerState>;
  readonly #socket: SocketLike;
  readonly #state = new Store<ServerState>("connecting");
  readonly #connected = new Set<() => void>();
  readonly #dropped = new Set<() => void>();
  #wanted = false;

  constructor(socket: SocketLike) {
    this.#socket = socket;
    this.state = this.#state;
    socket.on("connect", () => {
      this.#state.set("online");
      for (const listener of [...this.#connected]) listener();
    });
    socket.on("disconnect", (reason: string) => {
      this.#state.set("offline");
      for (const listener of [...this.#dropped]) listener();
      // In this one case Socket.IO leaves it to us to come back.
      if (reason === "io server disconnect") setTimeout(() => this.#again(), SENT_AWAY);
    });
    socket.on("connect_error", () => this.#state.set("offline"));
    socket.on("server:draining", () => this.#state.set("draining"));
  }

  /** Connects, and stays connected until `close`. */
  open(): void {
    this.#wanted = true;
    this.#socket.connect();
  }

  /** Disconnects, which leaves the room at once. */
  close(): void {
    this.#wanted = false;
    this.#socket.disconnect();
  }

  /**
   * The page goes away. What a WebSocket has taken still goes out, but a browser ends the requests
   * of a page that it leaves, so over polling the goodbye is handed to it (Beacon API).
   */
  leavePage(sendBeacon: (path: string, packet: string) => unknown): void {
    const { engine } = this.#socket.io;
    if (this.#socket.connected && engine?.id && engine.transport?.name === "polling") {
      const query = new URLSearchParams({ EIO: "4", transport: "polling", sid: engine.id });
      sendBeacon(`/socket.io/?${query}`, DISCONNECT);
    }
    this.close();
  }

  /** The network is back: what is connected may be dead without knowing, so it is made anew. */
  wake(): void {
    if (!this.#wanted) return;
    if (this.#socket.connected) this.#socket.io.engine?.close();
    else this.#socket.connect();
  }

  /**
   * Sends a request and calls `done` once. It is called from within the message that brought the
   * answer, so before the events that follow it are handled.
   */
  send<E extends RequestName>(
    event: E,
    payload: Payload<E>,
    done: (outcome: Outcome<Answer<E>>) => void,
  ): void {
    this.#socket.timeout(PATIENCE).emit(event, payload, (error, reply) => {
      done(error ? { error: this.#unanswered() } : outcomeOf(reply as Reply<Answer<E>>));
    });
  }

  /** Sends a request; rejects with a `RequestError`. */
  request<E extends RequestName>(event: E, payload: Payload<E>): Promise<Answer<E>> {
    return new Promise((resolve, reject) => {
      this.send(event, payload, (outcome) =>
        "ok" in outcome ? resolve(outcome.ok) : reject(outcome.error),
      );
    });
  }

  /** Hears an event. `number` is its number in the room, where it is a room's. */
  on<E extends EventName>(
    event: E,
    listener: (payload: ServerEvents[E], number: number | undefined) => void,
  ): void {
    this.#socket.on(event, listener);
  }

  /** Calls `listener` at each new connection, until the returned function is called. */
  onConnected(listener: () => void): () => void {
    this.#connected.add(listener);
    return () => this.#connected.delete(listener);
  }

  /** Calls `listener` whenever the connection is lost, until the returned function is called. */
  onDropped(listener: () => void): () => void {
    this.#dropped.add(listener);
    return () => this.#dropped.delete(listener);
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  #again(): void {
    if (this.#wanted && !this.#socket.connected) this.#socket.connect();
  }

  #unanswered(): RequestError {
    return this.#socket.connected
      ? new RequestError("timeout", "the server did not answer in time")
      : new RequestError("unreachable", "the server could not be reached");
  }
}

function outcomeOf<T>(reply: Reply<T>): Outcome<T> {
  if (reply && typeof reply === "object") {
    if ("ok" in reply) return { ok: reply.ok };
    if ("error" in reply) {
      const { code, message, name } = reply.error;
      return { error: new RequestError(code, message, name) };
    }
  }
  return { error: new RequestError("internal", "the server's answer was not understood") };
}
