// A published client without its page: the official package, connected as that client does it.

import { createRequire } from "node:module";
import type { Client, Version } from "../support/tutorial.ts";

/** What the packages of all versions have in common. */
export interface Socket {
  id: string;
  connected: boolean;
  emit(event: string, ...args: unknown[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: each event's arguments are its own.
  on(event: string, listener: (...args: any[]) => void): unknown;
  close(): unknown;
  io: { engine: Engine };
  /** Where both generations hand over what came in; 2.x has no `onAny`. */
  onevent(packet: { data: Event }): void;
}

interface Engine {
  transport: { name: string };
  on(event: string, listener: () => void): unknown;
}

type Connect = (url: string, options: Record<string, unknown>) => Socket;

export type Event = [name: string, ...args: unknown[]];

/** The published clients, and what each says to its package beyond the server's address. */
export const CLIENTS: Record<Client, { version: Version; options?: Record<string, unknown> }> = {
  "video-chat": { version: "4.3.2" },
  "perfect-negotiation": {
    version: "4.4.1",
    options: { path: "/webRTC_V0/", transports: ["websocket"] },
  },
  conference: { version: "2.3.1" },
  "one-to-one": { version: "2.3.0" },
  codelab: { version: "2.3.0" },
};

const require = createRequire(import.meta.url);

/** The official package of that version. */
function official(version: Version): Connect {
  const library = require(`socket.io-client-${version}`);
  return library.io ?? library;
}

/** One socket of a published client. */
export class Caller {
  private readonly waiting: Event[] = [];
  private listener?: (event: Event) => void;

  private constructor(readonly socket: Socket) {
    const deliver = socket.onevent;
    socket.onevent = (packet) => {
      if (this.listener) this.listener(packet.data);
      else this.waiting.push(packet.data);
      deliver.call(socket, packet);
    };
  }

  /** Connects as the client does, with a few options more. */
  static async connect(
    url: string,
    client: Client,
    options: Record<string, unknown> = {},
  ): Promise<Caller> {
    const { version, options: own } = CLIENTS[client];
    const once = { forceNew: true, reconnection: false };
    const caller = new Caller(official(version)(url, { ...once, ...own, ...options }));
    await new Promise<void>((resolve, reject) => {
      caller.socket.on("connect", resolve);
      caller.socket.on("connect_error", (error) => reject(new Error(`${client}: ${error}`)));
    });
    return caller;
  }

  get id(): string {
    return this.socket.id;
  }

  emit(...[event, ...args]: Event): void {
    this.socket.emit(event, ...args);
  }

  /** Hands over every event, in order, those that came before first. */
  listen(listener: (event: Event) => void): void {
    this.waiting.splice(0).forEach(listener);
    this.listener = listener;
  }

  close(): void {
    this.socket.close();
  }
}
