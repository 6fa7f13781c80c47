// A published client without its page: the official socket.io-client, with the client's options.

import { createRequire } from "node:module";
import type { Client, Version } from "../support/tutorial.ts";

/** Common interface of all versions of the package. */
export interface Socket {
  id: string;
  connected: boolean;
  emit(event: string, ...args: unknown[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: arguments differ by event.
  on(event: string, listener: (...args: any[]) => void): unknown;
  close(): unknown;
  io: { engine: Engine };
  /** Handler of incoming events in all versions; 2.x has no `onAny`. */
  onevent(packet: { data: Event }): void;
}

interface Engine {
  transport: { name: string };
  on(event: string, listener: () => void): unknown;
}

type Connect = (url: string, options: Record<string, unknown>) => Socket;

export type Event = [name: string, ...args: unknown[]];

/** The published clients, with their version of socket.io-client and its options. */
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

function loadSocketIo(version: Version): Connect {
  const library = require(`socket.io-client-${version}`);
  return library.io ?? library;
}

/** One socket of a published client. */
export class SocketClient {
  private readonly buffered: Event[] = [];
  private listener?: (event: Event) => void;

  private constructor(readonly socket: Socket) {
    const deliver = socket.onevent;
    socket.onevent = (packet) => {
      if (this.listener) this.listener(packet.data);
      else this.buffered.push(packet.data);
      deliver.call(socket, packet);
    };
  }

  /** Connects with the client's options and additional ones. */
  static async connect(
    url: string,
    client: Client,
    options: Record<string, unknown> = {},
  ): Promise<SocketClient> {
    const { version, options: clientOptions } = CLIENTS[client];
    const defaults = { forceNew: true, reconnection: false };
    const connect = loadSocketIo(version);
    const socketClient = new SocketClient(
      connect(url, { ...defaults, ...clientOptions, ...options }),
    );
    await new Promise<void>((resolve, reject) => {
      socketClient.socket.on("connect", resolve);
      socketClient.socket.on("connect_error", (error) => reject(new Error(`${client}: ${error}`)));
    });
    return socketClient;
  }

  get id(): string {
    return this.socket.id;
  }

  emit(...[event, ...args]: Event): void {
    this.socket.emit(event, ...args);
  }

  /** Calls the listener for every event in order, first for those received so far. */
  listen(listener: (event: Event) => void): void {
    this.buffered.splice(0).forEach(listener);
    this.listener = listener;
  }

  close(): void {
    this.socket.close();
  }
}
