// A device that opens TLS on the way: mitmproxy in a router, with a CA that its clients trust.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Namespace } from "./namespace.ts";

const PORT = 8080;

export class MitmProxy {
  private constructor(
    private readonly router: Namespace,
    private readonly redirect: string[],
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Opens TLS of the router's clients to a port of any server. */
  static async between(router: Namespace, port: number): Promise<MitmProxy> {
    const folder = mkdtempSync(join(tmpdir(), "moim-e2e-mitmproxy-"));
    const options = ["--set", `confdir=${folder}`, "--ssl-insecure", "--set", "flow_detail=0"];
    const child = router.spawn(
      ["mitmdump", "--mode", "transparent", "--listen-port", String(PORT), ...options],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const redirect = ["PREROUTING", "-i", "lan", "-p", "tcp", "--dport", String(port)];
    redirect.push("-j", "REDIRECT", "--to-ports", String(PORT));
    const proxy = new MitmProxy(router, redirect, child, folder);
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout!)) {
      lines.push(line);
      if (!/listening/.test(line)) continue;
      child.stdout!.resume();
      router.iptables("-t", "nat", "-I", ...redirect);
      return proxy;
    }
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`mitmdump ended: ${lines.join("\n")}`);
  }

  async stop(): Promise<void> {
    this.router.iptables("-t", "nat", "-D", ...this.redirect);
    const exit = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exit;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
