// The cable between a page and the server, which a test can pull: a TCP proxy.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Cable {
  private readonly sockets = new Set<Socket>();
  private cut = false;

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
    const to = connect(this.target, "127.0.0.1");
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
