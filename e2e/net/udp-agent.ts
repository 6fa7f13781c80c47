// A UDP socket inside a namespace, steered from outside.

import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import type { Namespace } from "./namespace.ts";

export interface Received {
  text: string;
  /** The sender's address as seen here, `address:port`. */
  from: string;
}

// Plain JavaScript, because a bare Node runs it.
const PROGRAM = `
  const [port, echo] = process.argv.slice(1);
  const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (message, { address, port }) => {
    const from = address + ":" + port;
    if (echo) socket.send(from, port, address);
    process.send({ text: String(message), from });
  });
  socket.bind(Number(port), () => process.send({ bound: socket.address().port }));
  process.on("message", ({ text, address, port }) => socket.send(text, port, address));
  process.on("disconnect", () => process.exit());
`;

export class UdpAgent {
  readonly received: Received[] = [];
  private readonly events = new EventEmitter();

  private constructor(private readonly process: ChildProcess) {}

  /** An echo agent answers every datagram with its sender's address as seen there, as a STUN server would. */
  static async open(
    host: Namespace,
    port: number,
    kind: "plain" | "echo" = "plain",
  ): Promise<UdpAgent> {
    const args = [
      process.execPath,
      "-e",
      PROGRAM,
      "--",
      String(port),
      kind === "echo" ? "echo" : "",
    ];
    const child = host.spawn(args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const agent = new UdpAgent(child);
    await once(child, "message");
    child.on("message", (message) => {
      agent.received.push(message as Received);
      agent.events.emit("received");
    });
    return agent;
  }

  send(text: string, to: string): void {
    const [address, port] = to.split(":");
    this.process.send({ text, address, port: Number(port) });
  }

  /** Sends to an echo agent and waits for its answer: how this socket looks from there. */
  async ask(echo: string): Promise<string> {
    const before = this.received.length;
    this.send("ask", echo);
    for (;;) {
      const answer = this.received.slice(before).find(({ from }) => from === echo);
      if (answer) return answer.text;
      await once(this.events, "received");
    }
  }

  close(): void {
    this.process.disconnect();
  }
}
