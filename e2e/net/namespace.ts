// A network namespace as a host. Its name contains the process id, so that runs don't collide and
// leftovers can be recognised.

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";

const PREFIX = "moim-e2e";

let count = 0;

export class Namespace {
  private constructor(readonly name: string) {}

  /** Creates a namespace with loopback up. */
  static add(role: string): Namespace {
    const namespace = new Namespace(`${PREFIX}-${process.pid}-${++count}-${role}`);
    ip("netns", "add", namespace.name);
    // DNS queries fail at once: an unreachable nameserver would delay ICE gathering by seconds.
    mkdirSync(namespace.etc, { recursive: true });
    writeFileSync(`${namespace.etc}/resolv.conf`, "nameserver 127.0.0.1\n");
    // IPv6 addresses appear seconds after the link, and Chromium then aborts requests in progress.
    if (existsSync("/proc/sys/net/ipv6")) {
      for (const which of ["all", "default"]) {
        namespace.set(`net.ipv6.conf.${which}.disable_ipv6`, "1");
      }
    }
    namespace.ip("link", "set", "lo", "up");
    return namespace;
  }

  /** Turns IPv6 on, with addresses that are usable at once. */
  enableIpv6(): void {
    // Each interface has its own setting: the kernel takes the strictest. An address that became
    // usable seconds later would have Chromium abort the requests in progress.
    const interfaces = this.run("ls", "/proc/sys/net/ipv6/conf").trim().split(/\s+/);
    for (const which of interfaces) this.set(`net.ipv6.conf.${which}.accept_dad`, "0");
    for (const which of ["all", "default"]) this.set(`net.ipv6.conf.${which}.disable_ipv6`, "0");
  }

  /** Removes namespaces left behind by crashed runs. */
  static sweep(): void {
    for (const line of output("ip", ["netns", "list"]).split("\n")) {
      const name = line.split(" ")[0] ?? "";
      const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
      if (owner && !existsSync(`/proc/${owner}`)) new Namespace(name).remove();
    }
  }

  /** Kills all processes inside and removes the namespace. */
  remove(): void {
    for (const pid of output("ip", ["netns", "pids", this.name]).split("\n").filter(Boolean)) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // Already ended.
      }
    }
    spawnSync("ip", ["netns", "del", this.name]);
    rmSync(this.etc, { recursive: true, force: true });
  }

  /** Command prefix that enters the namespace. */
  get within(): string[] {
    return ["ip", "netns", "exec", this.name];
  }

  ip(...args: string[]): void {
    ip("-n", this.name, ...args);
  }

  iptables(...args: string[]): string {
    return this.run("iptables", "-w", ...args);
  }

  /** Sets a kernel parameter. */
  set(setting: string, value: string): void {
    this.run("sysctl", "-q", "-w", `${setting}=${value}`);
  }

  /** Runs a command to completion and returns its output. */
  run(...command: string[]): string {
    const [program, ...args] = [...this.within, ...command];
    return output(program!, args);
  }

  spawn(command: string[], options: SpawnOptions): ChildProcess {
    const [program, ...args] = [...this.within, ...command];
    return spawn(program!, args, options);
  }

  private get etc(): string {
    return `/etc/netns/${this.name}`;
  }
}

/** Connects two namespaces by a veth pair with these interface names. */
export function vethPair(a: Namespace, nameInA: string, b: Namespace, nameInB: string): void {
  const endA = [nameInA, "netns", a.name];
  const endB = [nameInB, "netns", b.name];
  ip("link", "add", ...endA, "type", "veth", "peer", "name", ...endB);
}

export function ip(...args: string[]): void {
  output("ip", args);
}

function output(program: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout;
}
