// A TCP proxy between a page and the server, whose connections a test can cut or freeze.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const GET = Buffer.from("GET ");

/** A request to upgrade to WebSocket (RFC 6455 §4.1). */
const UPGRADE = /\r\nupgrade: *websocket/i;

export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private isFrozen = false;
  private ignoresUpgrades = false;
  /** Number of upgrade requests that were read and not answered. */
  ignoredUpgrades = 0;
  /** Connections with a GET request, such as a long poll, that is not answered yet. */
  private readonly pendingGets = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private target: number,
  ) {
    listener.on("connection", (socket) => this.forward(socket));
  }

  /** Starts a proxy to a loopback port. */
  static async to(target: number): Promise<TcpProxy> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new TcpProxy(listener, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Resets all connections, and new ones until `restore`. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Forwards new connections to another loopback port, as a balancer does. */
  redirect(target: number): void {
    this.target = target;
  }

  restore(): void {
    this.isCut = false;
  }

  /** Closes all connections with FIN, as the kernel does for a killed process. */
  closeConnections(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Stops forwarding without closing any connection. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  /** Reads upgrade requests and never answers them, as some proxies do. */
  ignoreUpgrades(): void {
    this.ignoresUpgrades = true;
  }

  /** Returns whether a GET request is waiting for its response. */
  get hasPendingGet(): boolean {
    return this.pendingGets.size > 0;
  }

  async close(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, "close");
  }

  private forward(client: Socket): void {
    if (this.isCut) {
      client.resetAndDestroy();
      return;
    }
    if (this.isFrozen) {
      this.sockets.add(client.pause());
      return;
    }
    if (this.ignoresUpgrades) {
      client.once("data", (data) => {
        if (UPGRADE.test(data.toString("latin1"))) {
          this.ignoredUpgrades += 1;
          this.sockets.add(client.resume());
          client.on("error", () => {});
          client.on("close", () => this.sockets.delete(client));
          return;
        }
        client.pause().unshift(data);
        this.pipeToServer(client);
      });
      return;
    }
    this.pipeToServer(client);
  }

  private pipeToServer(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    client.on("data", (data) => data.subarray(0, 4).equals(GET) && this.pendingGets.add(client));
    server.on("data", () => this.pendingGets.delete(client));
    client.on("close", () => this.pendingGets.delete(client));
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(end);
      end.setNoDelay(true);
      end.pipe(other);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        this.sockets.delete(end);
        other.destroy();
      });
    }
  }
}
