// A small internet on one machine, in network namespaces:
//
//   client a -- NAT a --\
//                        WAN -- server
//   client b -- NAT b --/
//
// The addresses are public, because TURN refuses private peers. No packet leaves the namespaces.

import { LinkEmulator } from "./link-emulator.ts";
import { Namespace, vethPair } from "./namespace.ts";

/**
 * `symmetric` maps every destination to another port, so hole punching fails.
 * `cone` maps all destinations to one port, and accepts packets only from addresses and ports that
 * were sent to (RFC 4787: endpoint-independent mapping, address and port-dependent filtering).
 */
export type NatKind = "symmetric" | "cone";

/** Address of the server in a world with IPv6. */
export const SERVER_IPV6 = "2001:db8:5::2";

const SILENT_ROUTER = "11.22.33.1";
/** Each site has a /24 of its own, as networks of different operators have. */
const PREFIX_LENGTH = 16;

/** A client and the NAT in front of it. */
export class Site {
  private udpDropped = false;
  private portsRandomized = false;
  private mtu: number | undefined;

  constructor(
    readonly client: Namespace,
    readonly nat: Namespace,
    /** WAN address of the NAT. */
    readonly address: string,
    /** Link between the NAT (end A) and the client (end B), in a world with impaired links. */
    readonly link: LinkEmulator | undefined,
  ) {}

  /** Drops UDP silently, as many firewalls do. */
  dropUdp(drop: boolean): void {
    if (drop === this.udpDropped) return;
    this.nat.iptables(drop ? "-I" : "-D", "FORWARD", "-i", "lan", "-p", "udp", "-j", "DROP");
    this.udpDropped = drop;
  }

  /** Maps each new UDP flow to a random port, as symmetric NATs do. */
  randomizePorts(randomize: boolean): void {
    if (randomize === this.portsRandomized) return;
    const rule = ["POSTROUTING", "-o", "wan", "-p", "udp", "-j", "MASQUERADE", "--random-fully"];
    this.nat.iptables("-t", "nat", randomize ? "-I" : "-D", ...rule);
    this.portsRandomized = randomize;
  }

  /**
   * Loses datagrams above an MTU on the way to and from the WAN, without ICMP, as tunnels do; TCP is
   * told a smaller segment. Without an MTU it is as before.
   */
  blackHole(mtu?: number): void {
    const clamp = ["-p", "tcp", "--tcp-flags", "SYN,RST", "SYN", "-j", "TCPMSS"];
    if (this.mtu) {
      this.nat.iptables("-D", "OUTPUT", "-p", "icmp", "-j", "DROP");
      const before = ["--set-mss", String(this.mtu - 40)];
      this.nat.iptables("-t", "mangle", "-D", "FORWARD", ...clamp, ...before);
    }
    this.nat.ip("link", "set", "wan", "mtu", String(mtu ?? 1500));
    if (mtu) {
      this.nat.iptables("-I", "OUTPUT", "-p", "icmp", "-j", "DROP");
      const segment = ["--set-mss", String(mtu - 40)];
      this.nat.iptables("-t", "mangle", "-I", "FORWARD", ...clamp, ...segment);
    }
    this.mtu = mtu;
  }

  /** Forwards IPv6, in a world that has it, or drops it silently. */
  routeIpv6(route: boolean): void {
    this.nat.set("net.ipv6.conf.all.forwarding", route ? "1" : "0");
  }

  /** Number of UDP packets dropped. */
  get droppedPackets(): number {
    const rules = this.nat.iptables("-L", "FORWARD", "-v", "-x", "-n");
    const rule = rules.split("\n").find((line) => line.includes("DROP") && line.includes("lan"));
    return Number(rule?.trim().split(/\s+/)[0] ?? 0);
  }
}

/** `impaired`: tests may add delay, loss and a bottleneck between each client and its NAT. */
export type LinkKind = "plain" | "impaired";

export class World {
  readonly serverAddress = "11.22.33.2";

  private constructor(
    readonly server: Namespace,
    readonly a: Site,
    readonly b: Site,
    private readonly hosts: Namespace[],
  ) {}

  static async open(nat: NatKind, links: LinkKind = "plain"): Promise<World> {
    Namespace.sweep();
    const hosts: Namespace[] = [];
    const add = (role: string) => {
      const host = Namespace.add(role);
      hosts.push(host);
      return host;
    };
    try {
      const wan = addWan(add("wan"));
      const server = add("server");
      plug(wan, server, "11.22.33.2");
      const site = async (name: string, host: number) => {
        const box = add(`nat-${name}`);
        const client = add(`client-${name}`);
        const link =
          links === "impaired" ? await LinkEmulator.connect(box, "lan", client, "eth") : undefined;
        if (!link) vethPair(box, "lan", client, "eth");
        return addSite(wan, box, client, host, nat, link);
      };
      const a = await site("a", 1);
      const b = await site("b", 2);
      return new World(server, a, b, hosts);
    } catch (error) {
      for (const host of hosts) host.remove();
      throw error;
    }
  }

  /** Gives IPv6 to the server and to site a, whose router forwards it. */
  enableIpv6(): void {
    const { server, a } = this;
    for (const host of [server, a.nat, a.client]) host.enableIpv6();
    server.ip("address", "add", `${SERVER_IPV6}/64`, "dev", "wan");
    a.nat.ip("address", "add", "2001:db8:5::11/64", "dev", "wan");
    a.nat.ip("address", "add", "2001:db8:81::1/64", "dev", "lan");
    a.client.ip("address", "add", "2001:db8:81::2/64", "dev", "eth");
    a.client.ip("route", "add", "default", "via", "2001:db8:81::1");
    server.ip("route", "add", "2001:db8:81::/64", "via", "2001:db8:5::11");
    a.routeIpv6(true);
  }

  async close(): Promise<void> {
    for (const { link } of [this.a, this.b]) await link?.disconnect();
    for (const host of this.hosts) host.remove();
  }
}

/**
 * A bridge with a router that answers ARP and forwards nothing: browsers give up on ICE without a
 * default route.
 */
export function addWan(wan: Namespace): Namespace {
  wan.ip("link", "add", "bridge", "type", "bridge");
  wan.ip("address", "add", `${SILENT_ROUTER}/${PREFIX_LENGTH}`, "dev", "bridge");
  wan.ip("link", "set", "bridge", "up");
  wan.set("net.ipv4.ip_forward", "0");
  return wan;
}

/** Gives a host an interface `wan` with a public address and a default route. */
export function plug(wan: Namespace, host: Namespace, address: string): void {
  const port = `port${address.split(".").at(-1)}`;
  vethPair(wan, port, host, "wan");
  wan.ip("link", "set", port, "master", "bridge", "up");
  host.ip("address", "add", `${address}/${PREFIX_LENGTH}`, "dev", "wan");
  host.ip("link", "set", "wan", "up");
  host.ip("route", "add", "default", "via", SILENT_ROUTER);
}

/** Assigns addresses to a NAT and a client that are already connected. */
export function addSite(
  wan: Namespace,
  nat: Namespace,
  client: Namespace,
  host: number,
  kind: NatKind,
  link: LinkEmulator | undefined,
): Site {
  const address = `11.22.${32 + host}.${10 + host}`;
  const lan = `10.81.${host}`;
  plug(wan, nat, address);
  nat.ip("address", "add", `${lan}.1/24`, "dev", "lan");
  nat.ip("link", "set", "lan", "up");
  client.ip("address", "add", `${lan}.2/24`, "dev", "eth");
  client.ip("link", "set", "eth", "up");
  client.ip("route", "add", "default", "via", `${lan}.1`);
  configureNat(nat, kind);
  return new Site(client, nat, address, link);
}

export function configureNat(nat: Namespace, kind: NatKind): void {
  nat.set("net.ipv4.ip_forward", "1");
  const masquerade = ["-t", "nat", "-A", "POSTROUTING", "-o", "wan"];
  if (kind === "symmetric")
    nat.iptables(...masquerade, "-p", "udp", "-j", "MASQUERADE", "--random-fully");
  nat.iptables(...masquerade, "-j", "MASQUERADE");
  // Otherwise an unsolicited packet would occupy the port that the client's own packet needs.
  nat.iptables("-A", "INPUT", "-i", "wan", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP");
  nat.iptables("-A", "FORWARD", "-i", "wan", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP");
}
