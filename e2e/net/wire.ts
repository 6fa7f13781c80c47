// A cable whose faults a test sets while it is in use: what netem would do, where a kernel has none.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { ip, type Namespace } from "./namespace.ts";

/** What is left out is no fault. */
export interface Faults {
  /** How long each packet takes, and at most how much longer. */
  delayMs?: number;
  jitterMs?: number;
  /** How likely a packet is lost, 0 to 1. */
  loss?: number;
  /** How much the cable carries, and how many bytes may wait for it. */
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

export class Wire {
  private constructor(
    private readonly process: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  /** Joins two namespaces by interfaces of these names, which are then to be given addresses and set up. */
  static async plug(
    a: Namespace,
    nameThere: string,
    b: Namespace,
    nameHere: string,
  ): Promise<Wire> {
    const tag = `mw${process.pid}x${++count}`;
    const child = spawn(program(), [`${tag}a`, `${tag}b`], { stdio: ["pipe", "pipe", "inherit"] });
    const wire = new Wire(child, createInterface(child.stdout)[Symbol.asyncIterator]());
    await wire.hear("ready");
    ip("link", "set", `${tag}a`, "netns", a.name, "name", nameThere);
    ip("link", "set", `${tag}b`, "netns", b.name, "name", nameHere);
    return wire;
  }

  /** Faults of packets towards one end, or both ways; they count from now on. */
  async set(faults: Faults, towards?: "A" | "B"): Promise<void> {
    this.process.stdin?.write(`${JSON.stringify({ ...faults, towards })}\n`);
    await this.hear("ok");
  }

  async unplug(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, "exit");
    this.process.stdin?.end();
    await exit;
  }

  private async hear(word: string): Promise<void> {
    const { value, done } = await this.lines.next();
    if (done || value !== word) throw new Error(`the wire said ${value} instead of ${word}`);
  }
}
