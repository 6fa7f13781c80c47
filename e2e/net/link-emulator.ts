// A link whose impairments a test can change while it is in use: netem for kernels without it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { ip, type Namespace } from "./namespace.ts";

/** Impairments of a link; omitted ones are absent. */
export interface Impairments {
  /** Delay of each packet, and the maximum added at random. */
  delayMs?: number;
  jitterMs?: number;
  /** Probability of loss, 0 to 1. */
  loss?: number;
  /** Bandwidth, and size of the queue in front of the bottleneck. */
  bitsPerSecond?: number;
  queueBytes?: number;
}

/** `MOIM_WIRE`, or the release build of this checkout. */
function program(): string {
  const path = resolve(
    process.env.MOIM_WIRE ?? join(import.meta.dirname, "../../target/release/moim-wire"),
  );
  if (!existsSync(path))
    throw new Error(`${path} is missing: \`cargo build --release -p moim-wire\`, or set MOIM_WIRE`);
  return path;
}

let count = 0;

export class LinkEmulator {
  private constructor(
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  /** Connects two namespaces by interfaces with these names, without addresses and down. */
  static async connect(
    a: Namespace,
    nameInA: string,
    b: Namespace,
    nameInB: string,
  ): Promise<LinkEmulator> {
    const tag = `mw${process.pid}x${++count}`;
    const child = spawn(program(), [`${tag}a`, `${tag}b`], { stdio: ["pipe", "pipe", "inherit"] });
    const link = new LinkEmulator(child, createInterface(child.stdout)[Symbol.asyncIterator]());
    await link.expectLine("ready");
    ip("link", "set", `${tag}a`, "netns", a.name, "name", nameInA);
    ip("link", "set", `${tag}b`, "netns", b.name, "name", nameInB);
    return link;
  }

  /** Replaces the impairments of packets towards one end, or towards both. */
  async set(impairments: Impairments, towards?: "A" | "B"): Promise<void> {
    this.process.stdin?.write(`${JSON.stringify({ ...impairments, towards })}\n`);
    await this.expectLine("ok");
  }

  async disconnect(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, "exit");
    this.process.stdin?.end();
    await exit;
  }

  private async expectLine(expected: string): Promise<void> {
    const { value, done } = await this.lines.next();
    if (done || value !== expected) throw new Error(`moim-wire wrote ${value}, not ${expected}`);
  }
}
