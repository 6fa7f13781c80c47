// A host of our own: a network namespace, named so that no run meets another's and leftovers are known as such.

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";

const PREFIX = "moim-e2e";

let count = 0;

export class Namespace {
  private constructor(readonly name: string) {}

  /** Makes one with loopback up. */
  static add(role: string): Namespace {
    const namespace = new Namespace(`${PREFIX}-${process.pid}-${++count}-${role}`);
    ip("netns", "add", namespace.name);
    // No nameserver answers, and at once: an unreachable one delays gathering by seconds.
    mkdirSync(namespace.etc, { recursive: true });
    writeFileSync(`${namespace.etc}/resolv.conf`, "nameserver 127.0.0.1\n");
    // An IPv6 address comes seconds after its link, and Chromium then breaks off what it is loading.
    if (existsSync("/proc/sys/net/ipv6")) {
      for (const which of ["all", "default"]) {
        namespace.set(`net.ipv6.conf.${which}.disable_ipv6`, "1");
      }
    }
    namespace.ip("link", "set", "lo", "up");
    return namespace;
  }

  /** Takes away what runs left behind that did not end well. */
  static sweep(): void {
    for (const line of output("ip", ["netns", "list"]).split("\n")) {
      const name = line.split(" ")[0] ?? "";
      const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
      if (owner && !existsSync(`/proc/${owner}`)) new Namespace(name).remove();
    }
  }

  /** Kills what runs inside and takes it away. */
  remove(): void {
    for (const pid of output("ip", ["netns", "pids", this.name]).split("\n").filter(Boolean)) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // Ended by itself in the meantime.
      }
    }
    spawnSync("ip", ["netns", "del", this.name]);
    rmSync(this.etc, { recursive: true, force: true });
  }

  /** The words before a command that put it inside. */
  get within(): string[] {
    return ["ip", "netns", "exec", this.name];
  }

  ip(...args: string[]): void {
    ip("-n", this.name, ...args);
  }

  iptables(...args: string[]): string {
    return this.run("iptables", "-w", ...args);
  }

  /** Turns a kernel setting. */
  set(setting: string, value: string): void {
    this.run("sysctl", "-q", "-w", `${setting}=${value}`);
  }

  /** Runs a command to its end and tells what it wrote. */
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

/** A cable between two namespaces. */
export function cable(a: Namespace, nameThere: string, b: Namespace, nameHere: string): void {
  ip(
    "link",
    "add",
    nameThere,
    "netns",
    a.name,
    "type",
    "veth",
    "peer",
    "name",
    nameHere,
    "netns",
    b.name,
  );
}

export function ip(...args: string[]): void {
  output("ip", args);
}

function output(program: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error ?? stderr}`);
  return stdout;
}
