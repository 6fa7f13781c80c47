// An office network: all desks and the server on one switch, and a firewall at each desk.
//
//   desk --\
//   desk --- switch -- server
//   desk --/

import { Namespace, vethPair } from "./namespace.ts";

const NETWORK = "11.22.44";
const SILENT_ROUTER = `${NETWORK}.1`;

/** The second four bytes of every STUN message (RFC 8489 §5). */
const STUN_COOKIE = "|2112a442|";

export class Desk {
  private readonly rules: string[][] = [];

  constructor(
    readonly host: Namespace,
    private address: string,
  ) {}

  /** Drops all outgoing UDP. */
  dropUdp(): void {
    this.block("-p", "udp");
  }

  /** Blocks UDP and STUN over TCP to the server: pages and signaling work, ICE and TURN do not. */
  hideMediaOf(server: string, port: number): void {
    this.block("-p", "udp", "-d", server, "--dport", `${port}`);
    const matchesStun = ["-m", "string", "--algo", "bm", "--hex-string", STUN_COOKIE];
    this.block("-p", "tcp", "-d", server, "--dport", `${port}`, ...matchesStun);
  }

  /** Number of packets that the firewall has dropped. */
  get droppedPackets(): number {
    const lines = this.host.iptables("-L", "OUTPUT", "-v", "-x", "-n").split("\n");
    const drops = lines.filter((line) => line.includes("DROP"));
    return drops.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
  }

  /** Changes the IP address, as moving to another network does. */
  changeAddress(): void {
    const address = this.address.replace(/\d+$/, (n) => `${Number(n) + 100}`);
    this.host.ip("address", "del", `${this.address}/24`, "dev", "eth");
    this.host.ip("address", "add", `${address}/24`, "dev", "eth");
    this.host.ip("route", "replace", "default", "via", SILENT_ROUTER);
    this.address = address;
  }

  reset(): void {
    for (const rule of this.rules.splice(0)) this.host.iptables("-D", ...rule);
  }

  private block(...match: string[]): void {
    const rule = ["OUTPUT", ...match, "-j", "DROP"];
    this.host.iptables("-A", ...rule);
    this.rules.push(rule);
  }
}

export class Office {
  readonly serverAddress = `${NETWORK}.2`;

  private constructor(
    readonly server: Namespace,
    readonly desks: readonly Desk[],
    private readonly hosts: readonly Namespace[],
  ) {}

  static open(count: number): Office {
    Namespace.sweep();
    const hosts: Namespace[] = [];
    const add = (role: string) => {
      const host = Namespace.add(role);
      hosts.push(host);
      return host;
    };
    try {
      const hub = add("switch");
      hub.ip("link", "add", "bridge", "type", "bridge");
      // Browsers give up on ICE without a default route.
      hub.ip("address", "add", `${SILENT_ROUTER}/24`, "dev", "bridge");
      hub.ip("link", "set", "bridge", "up");
      hub.set("net.ipv4.ip_forward", "0");
      const plug = (role: string, last: number): Namespace => {
        const host = add(role);
        vethPair(hub, `port${last}`, host, "eth");
        hub.ip("link", "set", `port${last}`, "master", "bridge", "up");
        host.ip("address", "add", `${NETWORK}.${last}/24`, "dev", "eth");
        host.ip("link", "set", "eth", "up");
        host.ip("route", "add", "default", "via", SILENT_ROUTER);
        return host;
      };
      const server = plug("server", 2);
      const desks = Array.from({ length: count }, (_, i) => {
        return new Desk(plug(`desk${i}`, 10 + i), `${NETWORK}.${10 + i}`);
      });
      return new Office(server, desks, hosts);
    } catch (error) {
      for (const host of hosts) host.remove();
      throw error;
    }
  }

  close(): void {
    for (const host of this.hosts) host.remove();
  }
}
