// nginx as a reverse proxy with nothing but `proxy_pass`, which drops `Upgrade`.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

export class NginxProxy {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  /** Starts a proxy to a loopback port. */
  static async to(target: number): Promise<NginxProxy> {
    const folder = mkdtempSync(join(tmpdir(), "moim-e2e-nginx-"));
    const port = await freePort();
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    const configuration = `
      daemon off;
      master_process off;
      pid ${folder}/pid;
      error_log stderr;
      events {}
      http {
        access_log off;
        ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
        server {
          listen 127.0.0.1:${port};
          location / { proxy_pass http://127.0.0.1:${target}; }
        }
      }`;
    const file = join(folder, "nginx.conf");
    writeFileSync(file, configuration);
    const child = spawn("/usr/sbin/nginx", ["-c", file, "-p", folder, "-e", "stderr"], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    let failure: Error | undefined;
    child.on("error", (error) => {
      failure = error;
    });
    const proxy = new NginxProxy(child, folder, `http://127.0.0.1:${port}`);
    await until("nginx to answer", async () => {
      if (failure) throw new Error(`this test needs nginx (Debian: nginx): ${failure}`);
      const response = await fetch(`${proxy.url}/healthz`).catch(() => undefined);
      return { done: response?.ok || undefined };
    });
    return proxy;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.pid !== undefined) {
      const exit = once(this.process, "exit");
      this.process.kill("SIGTERM");
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
