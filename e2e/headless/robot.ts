// The example of docs/examples: a participant in Python, with aiortc, by the media server.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";
import { python } from "./snake.ts";

const SCRIPT = join(import.meta.dirname, "../../docs/examples/aiortc_join.py");

export class Robot {
  private readonly lines: string[] = [];
  private complaints = "";

  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
  ) {
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.lines.push(line);
    });
    process.stderr!.on("data", (data) => {
      this.complaints += data;
    });
  }

  static join(url: string, room: string, name: string): Robot {
    return new Robot(name, spawn(python(), [SCRIPT, url, room, name], { stdio: "pipe" }));
  }

  /** Waits until it decodes somebody's picture and sound, and goes on doing so. */
  async receives(name: string): Promise<void> {
    const camera = new RegExp(`^${name} camera \\d+ frames \\d+x\\d+$`);
    // Loud enough to be more than the noise of a codec.
    const microphone = new RegExp(`^${name} microphone \\d+ frames level (?!0\\.00)[01]\\.\\d+$`);
    for (const track of [camera, microphone]) {
      await until(`${this.name} to get ${track}`, async () => {
        if (this.process.exitCode !== null) throw new Error(`Python ended: ${this.complaints}`);
        const count = this.lines.filter((line) => track.test(line)).length;
        return { done: count > 1 || undefined, seen: this.lines.slice(-10) };
      });
    }
  }

  /** Lets it go as Ctrl-C does; gives what it complained of and its exit code. */
  async close(): Promise<{ code: number | null; complaints: string }> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGINT");
    await ended;
    return { code: this.process.exitCode, complaints: this.complaints };
  }
}
