// Participants without a browser: they are in a room, without media, and act on request.

import { io, type Socket } from "socket.io-client";
import type { Joined, Reply, Requests } from "../../web/packages/client/src/protocol.ts";

export class PaperParticipant {
  #serial = 0;

  private constructor(
    private readonly socket: Socket,
    readonly name: string,
  ) {}

  /** Joins a room; its media links never connect. */
  static async join(url: string, room: string, name: string): Promise<PaperParticipant> {
    const socket = io(url, { forceNew: true, reconnection: false, transports: ["websocket"] });
    const person = new PaperParticipant(socket, name);
    const media = { mic: false, camera: false, screen: false, hand: false };
    const device = `device of ${name}`.replace(/\W/g, "-").padEnd(24, "-").slice(0, 64);
    const reply: Reply<Joined> = await socket
      .timeout(15_000)
      .emitWithAck("room:join", { room, name, media, device, sfu: true });
    if ("error" in reply) throw new Error(`${name}: room:join: ${reply.error.message}`);
    return person;
  }

  async send<E extends keyof Requests>(event: E, payload: Requests[E][0]): Promise<void> {
    const reply: Reply<unknown> = await this.socket.timeout(15_000).emitWithAck(event, payload);
    if ("error" in reply) throw new Error(`${this.name}: ${event}: ${reply.error.message}`);
  }

  async raiseHand(hand: boolean): Promise<void> {
    await this.send("media", { mic: false, camera: false, screen: false, hand });
  }

  async write(text: string): Promise<void> {
    await this.send("chat", { text, serial: ++this.#serial });
  }

  leave(): void {
    this.socket.disconnect();
  }
}
