// A Socket.IO client socket in the hands of a test.
import type { SocketLike } from "../signaling/signaling.ts";

/** A request that was sent and waits for its answer. */
export interface Asked {
  event: string;
  payload: Record<string, unknown>;
  /** Answers as the server would. */
  ok(answer?: unknown): void;
  refuse(code: string): void;
  /** No answer comes. */
  fail(): void;
}

export class FakeSocket implements SocketLike {
  connected = false;
  wanted = false;
  /** Requests still without an answer, oldest first. */
  asked: Asked[] = [];
  enginesClosed = 0;
  /** Hears of each request. */
  onAsked: (asked: Asked) => void = () => {};
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
    this.wanted = true;
  }

  disconnect(): void {
    this.wanted = false;
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
          this.asked = this.asked.filter((entry) => entry !== asked);
          done(error, reply);
        };
        const asked: Asked = {
          event,
          payload: payload as Record<string, unknown>,
          ok: (reply = {}) => answer(null, { ok: reply }),
          refuse: (code) => answer(null, { error: { code, message: `refused: ${code}` } }),
          fail: () => answer(new Error("no answer"), undefined),
        };
        this.asked.push(asked);
        this.onAsked(asked);
      },
    };
  }

  /** The session goes on over polling. */
  poll(id: string): void {
    this.io = { engine: { ...this.io.engine, id, transport: { name: "polling" } } };
  }

  /** The connection stands. */
  arrive(): void {
    this.connected = true;
    this.tell("connect");
  }

  /** The connection is lost; what waited for an answer gets none. */
  drop(reason = "transport close"): void {
    this.connected = false;
    for (const asked of [...this.asked]) asked.fail();
    this.tell("disconnect", reason);
  }

  /** An event from the server. */
  tell(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...args);
  }

  /** The oldest unanswered request of that name. */
  request(event: string): Asked {
    const asked = this.asked.find((entry) => entry.event === event);
    if (!asked) throw new Error(`no ${event} was asked`);
    return asked;
  }

  requests(event: string): Asked[] {
    return this.asked.filter((entry) => entry.event === event);
  }
}
