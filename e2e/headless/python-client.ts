// A client in Python, with python-socketio.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";
import type { Event } from "./socket-client.ts";

/** `MOIM_PYTHON`, or the interpreter that `cargo xtask test` prepares. */
export function python(): string {
  const path = resolve(
    process.env.MOIM_PYTHON ?? join(import.meta.dirname, "../../target/python/bin/python"),
  );
  if (!existsSync(path))
    throw new Error(`${path} is missing: see README.md for how to make it, or set MOIM_PYTHON`);
  return path;
}

export class PythonClient {
  readonly received: Event[] = [];
  private stderr = "";

  private constructor(private readonly process: ChildProcess) {
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.received.push(JSON.parse(line));
    });
    process.stderr!.on("data", (data) => {
      this.stderr += data;
    });
  }

  static async connect(url: string): Promise<PythonClient> {
    const script = join(import.meta.dirname, "python_client.py");
    const client = new PythonClient(spawn(python(), [script, url], { stdio: "pipe" }));
    await client.receives("connected");
    return client;
  }

  emit(...event: Event): void {
    this.process.stdin!.write(`${JSON.stringify(event)}\n`);
  }

  /** Waits until this number of such events is received, and returns them. */
  receives(name: string, count = 1): Promise<Event[]> {
    return until(`Python to receive ${count} of ${name}`, async () => {
      if (this.process.exitCode !== null) throw new Error(`Python ended: ${this.stderr}`);
      const events = this.received.filter(([event]) => event === name);
      return { done: events.length >= count ? events : undefined, seen: this.received };
    });
  }

  /** Disconnects, and returns the transport that was used last. */
  async close(): Promise<unknown> {
    const exit = once(this.process, "exit");
    this.process.stdin!.end();
    await exit;
    return this.received.find(([event]) => event === "transport")?.[1];
  }

  /** Kills the process, which sends nothing more. */
  async kill(): Promise<void> {
    const exit = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exit;
  }
}
