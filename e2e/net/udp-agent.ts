// A UDP socket inside a network namespace, controlled from the test process.

import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import type { Namespace } from "./namespace.ts";

export interface Received {
  text: string;
  /** The sender's address as seen here, `address:port`. */
  from: string;
}

// Plain JavaScript: Node runs it without a loader.
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

  /** An echo agent answers each datagram with its source address, as a STUN server does. */
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

  /** Returns this socket's address as seen by an echo agent. */
  async reflexiveAddress(echo: string): Promise<string> {
    const before = this.received.length;
    this.send("request", echo);
    for (;;) {
      const response = this.received.slice(before).find(({ from }) => from === echo);
      if (response) return response.text;
      await once(this.events, "received");
    }
  }

  close(): void {
    this.process.disconnect();
  }
}
