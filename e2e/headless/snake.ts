// A client in Python, with python-socketio.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";
import type { Event } from "./caller.ts";

/** `MOIM_PYTHON`, or the one that `cargo xtask test` prepares. */
export function python(): string {
  const path = resolve(
    process.env.MOIM_PYTHON ?? join(import.meta.dirname, "../../target/python/bin/python"),
  );
  if (!existsSync(path))
    throw new Error(`${path} is missing: see README.md for how to make it, or set MOIM_PYTHON`);
  return path;
}

export class Snake {
  readonly heard: Event[] = [];
  private complaints = "";

  private constructor(private readonly process: ChildProcess) {
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.heard.push(JSON.parse(line));
    });
    process.stderr!.on("data", (data) => {
      this.complaints += data;
    });
  }

  static async connect(url: string): Promise<Snake> {
    const script = join(import.meta.dirname, "caller.py");
    const snake = new Snake(spawn(python(), [script, url], { stdio: "pipe" }));
    await snake.hears("connected");
    return snake;
  }

  emit(...event: Event): void {
    this.process.stdin!.write(`${JSON.stringify(event)}\n`);
  }

  /** Waits until it has heard so many such events, and gives them. */
  hears(name: string, count = 1): Promise<Event[]> {
    return until(`Python to hear ${count} of ${name}`, async () => {
      if (this.process.exitCode !== null) throw new Error(`Python ended: ${this.complaints}`);
      const events = this.heard.filter(([event]) => event === name);
      return { done: events.length >= count ? events : undefined, seen: this.heard };
    });
  }

  /** Lets it go, and tells by what transport it went on. */
  async close(): Promise<unknown> {
    const ended = once(this.process, "exit");
    this.process.stdin!.end();
    await ended;
    return this.heard.find(([event]) => event === "over")?.[1];
  }

  /** Ends it, which it does not get to say. */
  async kill(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }
}
