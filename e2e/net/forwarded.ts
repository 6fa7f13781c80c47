// A server on a LAN, behind a router that forwards one port to it:
//
//   client inside --\
//                    router -- WAN -- NAT -- client outside
//   server ---------/
//
// The router has no hairpin NAT: from the LAN its own public address answers nothing. The NAT of
// the client outside is symmetric, so no hole is punched.

import { Namespace, vethPair } from "./namespace.ts";
import { addSite, addWan, configureNat, plug, type Site } from "./world.ts";

const LAN = "10.80.0";

/** Port that the server listens on. */
export const SERVER_PORT = 4000;

export class ForwardedNetwork {
  readonly serverAddress = `${LAN}.10`;
  readonly publicAddress = "11.22.33.10";
  private rules: string[][] = [];

  private constructor(
    readonly server: Namespace,
    readonly inside: Namespace,
    readonly outside: Site,
    private readonly router: Namespace,
    private readonly hosts: readonly Namespace[],
  ) {}

  static open(): ForwardedNetwork {
    Namespace.sweep();
    const hosts: Namespace[] = [];
    const add = (role: string) => {
      const host = Namespace.add(role);
      hosts.push(host);
      return host;
    };
    try {
      const wan = addWan(add("wan"));
      const router = add("router");
      plug(wan, router, "11.22.33.10");
      router.ip("link", "add", "lan", "type", "bridge");
      router.ip("address", "add", `${LAN}.1/24`, "dev", "lan");
      router.ip("link", "set", "lan", "up");
      configureNat(router, "cone");
      // Without a hairpin, and without an error message that would end the attempt.
      router.iptables("-A", "INPUT", "-i", "lan", "-d", "11.22.33.10", "-j", "DROP");
      const server = addLanHost(router, add("server"), 10);
      const inside = addLanHost(router, add("inside"), 20);
      const box = add("nat");
      const client = add("outside");
      vethPair(box, "lan", client, "eth");
      const outside = addSite(wan, box, client, 2, "symmetric", undefined);
      return new ForwardedNetwork(server, inside, outside, router, hosts);
    } catch (error) {
      for (const host of hosts) host.remove();
      throw error;
    }
  }

  /** Forwards a port of the public address to the server, over UDP and TCP. */
  forward(port: number): void {
    this.reset();
    for (const protocol of ["udp", "tcp"]) {
      const target = ["-p", protocol, "--dport"];
      const to = ["-j", "DNAT", "--to-destination", `${this.serverAddress}:${SERVER_PORT}`];
      this.insert("nat", "PREROUTING", "-i", "wan", ...target, `${port}`, ...to);
      const server = ["-d", this.serverAddress, ...target, `${SERVER_PORT}`];
      this.insert("filter", "FORWARD", "-i", "wan", ...server, "-j", "ACCEPT");
    }
  }

  reset(): void {
    for (const [table, ...rule] of this.rules) this.router.iptables("-t", table!, "-D", ...rule);
    this.rules = [];
    this.outside.dropUdp(false);
  }

  close(): void {
    for (const host of this.hosts) host.remove();
  }

  private insert(table: string, ...rule: string[]): void {
    this.router.iptables("-t", table, "-I", ...rule);
    this.rules.push([table, ...rule]);
  }
}

/** Connects a host to the router's bridge. */
function addLanHost(router: Namespace, host: Namespace, last: number): Namespace {
  vethPair(router, `port${last}`, host, "eth");
  router.ip("link", "set", `port${last}`, "master", "lan", "up");
  host.ip("address", "add", `${LAN}.${last}/24`, "dev", "eth");
  host.ip("link", "set", "eth", "up");
  host.ip("route", "add", "default", "via", `${LAN}.1`);
  return host;
}
