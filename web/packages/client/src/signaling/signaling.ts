// The connection to the server: requests with an acknowledgement, and events.
import { io } from "socket.io-client";
import type { ServerState } from "../api.ts";
import type { Reply, Requests, ServerEvents } from "../protocol.ts";
import { type Readable, Store } from "../store.ts";
import { RequestError } from "./errors.ts";

const REQUEST_TIMEOUT_MS = 10_000;

/** Time for the answer to a probe of a connection that may be dead. */
const PROBE_TIMEOUT_MS = 2_000;

/** Delay before connecting again after the server closed the connection. */
const RECONNECT_DELAY_MS = 2_000;

/** An Engine.IO message that holds a Socket.IO DISCONNECT. */
const DISCONNECT = "41";

export type RequestName = keyof Requests;
export type Payload<E extends RequestName> = Requests[E][0];
export type Answer<E extends RequestName> = Requests[E][1];
export type EventName = keyof ServerEvents;

/** Outcome of a request. */
export type Outcome<T> = { ok: T } | { error: RequestError };

/** The members of a Socket.IO client socket that are used here. */
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
      /** Id of the Engine.IO session. */
      readonly id?: string;
      readonly transport?: { readonly name: string };
    };
  };
}

/**
 * Time for the first WebSocket to connect before polling is tried. Some proxies swallow an upgrade
 * request, or the messages after it, without an answer.
 */
const WEBSOCKET_TIMEOUT_MS = 4_000;

/** Time for any later attempt: Socket.IO's default. */
const ATTEMPT_TIMEOUT_MS = 20_000;

/**
 * Creates a socket that reconnects forever. It starts with a WebSocket, which takes fewer round
 * trips. If that does not connect, it starts with polling and upgrades to a WebSocket if possible.
 */
export function openSocket(url?: string, websocketTimeout = WEBSOCKET_TIMEOUT_MS): SocketLike {
  const options = {
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelay: 300,
    reconnectionDelayMax: 5_000,
    timeout: websocketTimeout,
    autoConnect: false,
  };
  const socket = url === undefined ? io(options) : io(url, options);
  const manager = socket.io;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;
  const pollFirst = () => {
    manager.opts.transports = ["polling", "websocket"];
    manager.timeout(ATTEMPT_TIMEOUT_MS);
  };
  manager.on("error", (error: Error) => {
    if (error.message === "timeout") pollFirst();
  });
  manager.on("open", () => {
    clearTimeout(silenceTimer);
    // Open, but the CONNECT packet or its answer may be swallowed.
    silenceTimer = setTimeout(() => {
      if (socket.connected) return;
      pollFirst();
      manager.engine?.close();
    }, websocketTimeout);
  });
  manager.on("close", () => clearTimeout(silenceTimer));
  socket.on("connect", () => clearTimeout(silenceTimer));
  return socket;
}

/** Requests and events over one socket, typed by the protocol. */
export class Signaling {
  readonly state: Readable<ServerState>;
  readonly #socket: SocketLike;
  readonly #state = new Store<ServerState>("connecting");
  readonly #onConnected = new Set<() => void>();
  readonly #onDisconnected = new Set<() => void>();
  #isOpen = false;
  #isProbing = false;

  constructor(socket: SocketLike) {
    this.#socket = socket;
    this.state = this.#state;
    socket.on("connect", () => {
      this.#state.set("online");
      for (const listener of [...this.#onConnected]) listener();
    });
    socket.on("disconnect", (reason: string) => {
      this.#state.set("offline");
      for (const listener of [...this.#onDisconnected]) listener();
      // Only in this case does Socket.IO not reconnect by itself.
      if (reason === "io server disconnect") {
        setTimeout(() => this.#reconnect(), RECONNECT_DELAY_MS);
      }
    });
    socket.on("connect_error", () => this.#state.set("offline"));
    socket.on("server:draining", () => this.#state.set("draining"));
  }

  /** Connects, and stays connected until `close`. */
  open(): void {
    this.#isOpen = true;
    this.#socket.connect();
  }

  /** Disconnects, which leaves the room at once. */
  close(): void {
    this.#isOpen = false;
    this.#socket.disconnect();
  }

  /**
   * Disconnects a page that is being unloaded. A WebSocket still delivers what was sent, but a
   * browser cancels the requests of the page, so with polling the DISCONNECT is sent as a beacon.
   */
  leavePage(sendBeacon: (path: string, packet: string) => unknown): void {
    const { engine } = this.#socket.io;
    if (this.#socket.connected && engine?.id && engine.transport?.name === "polling") {
      const query = new URLSearchParams({ EIO: "4", transport: "polling", sid: engine.id });
      sendBeacon(`/socket.io/?${query}`, DISCONNECT);
    }
    this.close();
  }

  /** The network changed: reconnects, since a connection may be dead without having noticed. */
  wake(): void {
    if (!this.#isOpen) return;
    if (this.#socket.connected) return void this.#socket.io.engine?.close();
    // While Socket.IO waits for its next attempt, `connect` alone does nothing.
    this.#socket.disconnect();
    this.#socket.connect();
  }

  /**
   * Sends a request that changes nothing, and reconnects unless it is answered soon. Engine.IO alone
   * takes 45 seconds to notice that the server's computer is gone or that the server hangs.
   */
  probe<E extends RequestName>(event: E, payload: Payload<E>): void {
    if (!this.connected || this.#isProbing) return;
    const { engine } = this.#socket.io;
    this.#isProbing = true;
    this.#socket.timeout(PROBE_TIMEOUT_MS).emit(event, payload, (error) => {
      this.#isProbing = false;
      if (error && this.connected && this.#socket.io.engine === engine) engine?.close();
    });
  }

  /**
   * Sends a request and calls `done` once, synchronously with the message that holds the answer:
   * before any later event is handled.
   */
  send<E extends RequestName>(
    event: E,
    payload: Payload<E>,
    done: (outcome: Outcome<Answer<E>>) => void,
  ): void {
    this.#socket.timeout(REQUEST_TIMEOUT_MS).emit(event, payload, (error, reply) => {
      done(error ? { error: this.#noAnswer() } : outcomeOf(reply as Reply<Answer<E>>));
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

  /** Subscribes to an event. `number` is its sequence number, for events of a room. */
  on<E extends EventName>(
    event: E,
    listener: (payload: ServerEvents[E], number: number | undefined) => void,
  ): void {
    this.#socket.on(event, listener);
  }

  /** Calls `listener` at each new connection, until the returned function is called. */
  onConnected(listener: () => void): () => void {
    this.#onConnected.add(listener);
    return () => this.#onConnected.delete(listener);
  }

  /** Calls `listener` at each loss of the connection, until the returned function is called. */
  onDisconnected(listener: () => void): () => void {
    this.#onDisconnected.add(listener);
    return () => this.#onDisconnected.delete(listener);
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  #reconnect(): void {
    if (this.#isOpen && !this.#socket.connected) this.#socket.connect();
  }

  #noAnswer(): RequestError {
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
  return { error: new RequestError("internal", "the server's answer could not be parsed") };
}
