// The cable between a page and the server, which a test can pull: a TCP proxy.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const GET = Buffer.from("GET ");

/** A request to become a WebSocket (RFC 6455 §4.1). */
const UPGRADE = /\r\nupgrade: *websocket/i;

export class Cable {
  private readonly sockets = new Set<Socket>();
  private cut = false;
  private frozen = false;
  private swallowing = false;
  /** Requests to upgrade that were read and never answered. */
  swallowed = 0;
  /** Connections on which a poll or a page waits for its answer. */
  private readonly asking = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly target: number,
  ) {
    listener.on("connection", (socket) => this.carry(socket));
  }

  /** Carries to a port of loopback. */
  static async to(target: number): Promise<Cable> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new Cable(listener, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** Breaks every connection, and new ones until `mend`. */
  pull(): void {
    this.cut = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.cut = false;
  }

  /** Ends every connection as a process does that is killed. */
  end(): void {
    this.cut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Carries nothing more, and ends nothing. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  /** Reads requests to upgrade and answers nothing, as some proxies do. */
  swallowUpgrades(): void {
    this.swallowing = true;
  }

  /** Whether a GET waits for its answer. */
  get waits(): boolean {
    return this.asking.size > 0;
  }

  async close(): Promise<void> {
    this.pull();
    this.listener.close();
    await once(this.listener, "close");
  }

  private carry(from: Socket): void {
    if (this.cut) {
      from.resetAndDestroy();
      return;
    }
    if (this.frozen) {
      this.sockets.add(from.pause());
      return;
    }
    if (this.swallowing) {
      from.once("data", (data) => {
        if (UPGRADE.test(data.toString("latin1"))) {
          this.swallowed += 1;
          this.sockets.add(from.resume());
          from.on("error", () => {});
          from.on("close", () => this.sockets.delete(from));
          return;
        }
        from.pause().unshift(data);
        this.connect(from);
      });
      return;
    }
    this.connect(from);
  }

  private connect(from: Socket): void {
    const to = connect(this.target, "127.0.0.1");
    from.on("data", (data) => data.subarray(0, 4).equals(GET) && this.asking.add(from));
    to.on("data", () => this.asking.delete(from));
    from.on("close", () => this.asking.delete(from));
    for (const [end, other] of [
      [from, to],
      [to, from],
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
