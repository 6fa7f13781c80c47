// The example of docs/examples: a participant in Python with aiortc, through the media server.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";
import { python } from "./python-client.ts";

const SCRIPT = join(import.meta.dirname, "../../docs/examples/aiortc_join.py");

export class AiortcClient {
  private readonly lines: string[] = [];
  private stderr = "";

  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
  ) {
    createInterface({ input: process.stdout! }).on("line", (line) => {
      this.lines.push(line);
    });
    process.stderr!.on("data", (data) => {
      this.stderr += data;
    });
  }

  static join(url: string, room: string, name: string): AiortcClient {
    return new AiortcClient(name, spawn(python(), [SCRIPT, url, room, name], { stdio: "pipe" }));
  }

  /** Waits until it has decoded a participant's video and audio more than once. */
  async receives(name: string): Promise<void> {
    const camera = new RegExp(`^${name} camera \\d+ frames \\d+x\\d+$`);
    // A level above the noise of the codec.
    const microphone = new RegExp(`^${name} microphone \\d+ frames level (?!0\\.00)[01]\\.\\d+$`);
    for (const track of [camera, microphone]) {
      await until(`${this.name} to receive ${track}`, async () => {
        if (this.process.exitCode !== null) throw new Error(`Python ended: ${this.stderr}`);
        const count = this.lines.filter((line) => track.test(line)).length;
        return { done: count > 1 || undefined, seen: this.lines.slice(-10) };
      });
    }
  }

  /** Interrupts it, and returns its exit code and its standard error. */
  async close(): Promise<{ code: number | null; stderr: string }> {
    const exit = once(this.process, "exit");
    this.process.kill("SIGINT");
    await exit;
    return { code: this.process.exitCode, stderr: this.stderr };
  }
}
