// The moim binary, with its own data folder, on a free loopback port.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until } from "./until.ts";

export interface ServerOptions {
  /** Flags after `moim serve --listen … --data …`. */
  flags?: string[];
  /** Command prefix, for example to enter a network namespace. */
  within?: string[];
  /** Address and port to listen on; defaults to a free loopback port. */
  listen?: string;
  /** Health check, if `/healthz` cannot be reached from this process. */
  healthy?: (port: number) => Promise<boolean>;
}

/** `MOIM_BIN`, or the release build of this checkout. */
export function binary(): string {
  const path = resolve(
    process.env.MOIM_BIN ?? join(import.meta.dirname, "../../target/release/moim"),
  );
  if (!existsSync(path))
    throw new Error(`${path} is missing: run \`cargo xtask build\`, or set MOIM_BIN`);
  return path;
}

export class Server {
  private readonly lines: string[] = [];
  private process: ChildProcess;

  private constructor(
    private readonly command: string[],
    readonly data: string,
    readonly port: number,
  ) {
    this.process = this.spawn();
  }

  /** Starts the server and waits until it is ready. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    for (let attempt = 1; ; attempt++) {
      const server = await Server.launch(options);
      try {
        await server.ready(options.healthy ?? answersOnLoopback);
        return server;
      } catch (error) {
        const log = server.log;
        await server.stop();
        // Another process may have taken the port between our probe and the server's bind.
        if (attempt < 3 && !options.listen && /in use|taken/i.test(log)) continue;
        throw new Error(`${error}\n${log}`);
      }
    }
  }

  private static async launch(options: ServerOptions): Promise<Server> {
    const moim = binary();
    const listen = options.listen ?? `127.0.0.1:${await freePort()}`;
    const port = Number(listen.slice(listen.lastIndexOf(":") + 1));
    const data = mkdtempSync(join(tmpdir(), "moim-e2e-data-"));
    const command = [
      ...(options.within ?? []),
      ...[moim, "serve", "--listen", listen, "--data", data],
      ...(options.flags ?? []),
    ];
    return new Server(command, data, port);
  }

  private spawn(): ChildProcess {
    const [program, ...args] = this.command;
    const child = spawn(program!, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, RUST_LOG: process.env.RUST_LOG ?? "info", NO_COLOR: "1" },
    });
    child.on("error", (error) => this.lines.push(`${error}\n`));
    child.stdout.on("data", (chunk: Buffer) => this.lines.push(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => this.lines.push(chunk.toString()));
    return child;
  }

  private async ready(healthy: (port: number) => Promise<boolean>): Promise<void> {
    await until("/healthz to answer", async () => {
      if (this.ended) throw new Error(`moim ended with code ${this.process.exitCode}`);
      return { done: (await healthy(this.port)) || undefined };
    });
  }

  /** URL for browsers on this machine. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Path of the server's CA certificate. */
  get ca(): string {
    return join(this.data, "ca.pem");
  }

  /** Output of `moim calls` with these arguments. */
  calls(...args: string[]): string {
    const command = ["calls", ...args, "--data", this.data];
    return execFileSync(binary(), command, { encoding: "utf8" }).trim();
  }

  /** Resident memory in KiB (Linux), or 0 once the process has ended. */
  get residentKib(): number {
    try {
      const status = readFileSync(`/proc/${this.process.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    } catch {
      return 0;
    }
  }

  /** Kills the server without a shutdown, once `isPersisted` is true for its data folder. */
  async crash(isPersisted: (data: string) => boolean): Promise<void> {
    await until("the server to persist its state", async () => ({
      done: isPersisted(this.data) || undefined,
    }));
    const exit = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exit;
  }

  /** Stops the process without ending it, until `stop`: it takes what is sent and answers nothing. */
  hang(): void {
    this.process.kill("SIGSTOP");
  }

  /** Restarts the server with the same data folder and port. */
  async restart(): Promise<void> {
    this.process = this.spawn();
    await this.ready(answersOnLoopback);
  }

  /** Output so far. */
  get log(): string {
    return this.lines.join("");
  }

  private get ended(): boolean {
    return (
      this.process.exitCode !== null ||
      this.process.signalCode !== null ||
      this.process.pid === undefined
    );
  }

  /** Stops the server and returns its exit code. */
  async stop(): Promise<number | null> {
    if (!this.ended) {
      const exit = once(this.process, "exit");
      const timeout = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
      this.process.kill("SIGTERM");
      this.process.kill("SIGCONT");
      await exit;
      clearTimeout(timeout);
    }
    rmSync(this.data, { recursive: true, force: true });
    return this.process.exitCode;
  }
}

async function answersOnLoopback(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Finds a port that is free on both TCP and UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket("udp4");
    const free = await new Promise<boolean>((resolve) => {
      udp.once("error", () => resolve(false));
      udp.bind(port, "127.0.0.1", () => resolve(true));
    });
    udp.close();
    tcp.close();
    await once(tcp, "close");
    if (free) return port;
  }
}
