// A Socket.IO client socket controlled by a test.
import type { SocketLike } from "../signaling/signaling.ts";

/** A request that awaits its acknowledgement. */
export interface PendingRequest {
  event: string;
  payload: Record<string, unknown>;
  /** Acknowledges as the server would. */
  ok(answer?: unknown): void;
  reject(code: string): void;
  /** No acknowledgement arrives. */
  timeOut(): void;
}

export class FakeSocket implements SocketLike {
  connected = false;
  /** The code under test has called `connect` and not `disconnect` since. */
  shouldConnect = false;
  /** Requests without acknowledgement, the oldest first. */
  pending: PendingRequest[] = [];
  enginesClosed = 0;
  /** Called for each request. */
  onRequest: (request: PendingRequest) => void = () => {};
  io = {
    engine: {
      close: () => {
        this.enginesClosed += 1;
      },
      id: "id",
      transport: { name: "websocket" },
    },
  };
  readonly #listeners = new Map<string, ((...args: unknown[]) => void)[]>();

  connect(): void {
    this.shouldConnect = true;
  }

  disconnect(): void {
    this.shouldConnect = false;
    if (this.connected) this.drop("io client disconnect");
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const listeners = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, [...listeners, listener as (...args: unknown[]) => void]);
  }

  timeout() {
    return {
      emit: (
        event: string,
        payload: unknown,
        done: (error: unknown, reply: unknown) => void,
      ): void => {
        const answer = (error: unknown, reply: unknown) => {
          this.pending = this.pending.filter((entry) => entry !== request);
          done(error, reply);
        };
        const request: PendingRequest = {
          event,
          payload: payload as Record<string, unknown>,
          ok: (reply = {}) => answer(null, { ok: reply }),
          reject: (code) => answer(null, { error: { code, message: `rejected: ${code}` } }),
          timeOut: () => answer(new Error("no answer"), undefined),
        };
        this.pending.push(request);
        this.onRequest(request);
      },
    };
  }

  /** Continues the session over polling. */
  downgradeToPolling(id: string): void {
    this.io = { engine: { ...this.io.engine, id, transport: { name: "polling" } } };
  }

  /** Establishes the connection. */
  establish(): void {
    this.connected = true;
    this.receive("connect");
  }

  /** Loses the connection; pending requests time out. */
  drop(reason = "transport close"): void {
    this.connected = false;
    for (const request of [...this.pending]) request.timeOut();
    this.receive("disconnect", reason);
  }

  /** Delivers an event of the server. */
  receive(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }

  /** The oldest pending request with that name. */
  request(event: string): PendingRequest {
    const request = this.pending.find((entry) => entry.event === event);
    if (!request) throw new Error(`no pending ${event}`);
    return request;
  }

  requests(event: string): PendingRequest[] {
    return this.pending.filter((entry) => entry.event === event);
  }
}
