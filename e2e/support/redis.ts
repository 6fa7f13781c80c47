// A Redis server in a folder of its own, on a free loopback port, which servers share rooms by.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./server.ts";
import { until } from "./until.ts";

export class Redis {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<Redis> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "moim-e2e-redis-"));
    const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
    const child = spawn("redis-server", options, { stdio: "ignore" });
    let failure: Error | undefined;
    child.on("error", (error) => {
      failure = error;
    });
    await until("redis-server to answer", async () => {
      if (failure) throw failure;
      return { done: (await answers(port)) || undefined };
    });
    return new Redis(child, folder, port);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    const exit = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exit;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
    socket.once("error", () => resolve(false));
  });
}
