// A small internet on one machine:
//
//   client a -- NAT a --\
//                        WAN -- server
//   client b -- NAT b --/
//
// The addresses look public, because a relay refuses the private ones; no packet ever leaves the namespaces.

import { cable, Namespace } from "./namespace.ts";

/**
 * `symmetric` takes another port for every destination, so hole punching fails.
 * `cone` keeps one port for all destinations and lets in whoever was sent to (RFC 4787: endpoint-independent
 * mapping, address and port-dependent filtering).
 */
export type NatKind = "symmetric" | "cone";

const SILENT_ROUTER = "11.22.33.1";
const PREFIX_LENGTH = 24;

/** Somebody's home or office: a client, and the NAT it is behind. */
export class Site {
  private udpDropped = false;

  constructor(
    readonly client: Namespace,
    readonly nat: Namespace,
    /** The NAT's address on the WAN. */
    readonly address: string,
  ) {}

  /** As many firewalls do; nothing comes back to say so. */
  dropUdp(drop: boolean): void {
    if (drop === this.udpDropped) return;
    this.nat.iptables(drop ? "-I" : "-D", "FORWARD", "-i", "lan", "-p", "udp", "-j", "DROP");
    this.udpDropped = drop;
  }

  /** How many packets the dropping of UDP has swallowed. */
  get swallowed(): number {
    const rules = this.nat.iptables("-L", "FORWARD", "-v", "-x", "-n");
    const rule = rules.split("\n").find((line) => line.includes("DROP") && line.includes("lan"));
    return Number(rule?.trim().split(/\s+/)[0] ?? 0);
  }
}

export class World {
  readonly serverAddress = "11.22.33.2";

  private constructor(
    readonly server: Namespace,
    readonly a: Site,
    readonly b: Site,
    private readonly hosts: Namespace[],
  ) {}

  static open(nat: NatKind): World {
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
      const a = addSite(wan, add("nat-a"), add("client-a"), "11.22.33.11", "10.81.1", nat);
      const b = addSite(wan, add("nat-b"), add("client-b"), "11.22.33.12", "10.81.2", nat);
      return new World(server, a, b, hosts);
    } catch (error) {
      for (const host of hosts) host.remove();
      throw error;
    }
  }

  close(): void {
    for (const host of this.hosts) host.remove();
  }
}

/** A bridge, on which a router answers to ARP and forwards nothing: where media has no default route, browsers give up. */
function addWan(wan: Namespace): Namespace {
  wan.ip("link", "add", "bridge", "type", "bridge");
  wan.ip("address", "add", `${SILENT_ROUTER}/${PREFIX_LENGTH}`, "dev", "bridge");
  wan.ip("link", "set", "bridge", "up");
  wan.set("net.ipv4.ip_forward", "0");
  return wan;
}

/** Gives a host an interface `wan` with a public address and a default route. */
function plug(wan: Namespace, host: Namespace, address: string): void {
  const port = `port${address.split(".").at(-1)}`;
  cable(wan, port, host, "wan");
  wan.ip("link", "set", port, "master", "bridge", "up");
  host.ip("address", "add", `${address}/${PREFIX_LENGTH}`, "dev", "wan");
  host.ip("link", "set", "wan", "up");
  host.ip("route", "add", "default", "via", SILENT_ROUTER);
}

function addSite(
  wan: Namespace,
  nat: Namespace,
  client: Namespace,
  address: string,
  lan: string,
  kind: NatKind,
): Site {
  plug(wan, nat, address);
  cable(nat, "lan", client, "eth");
  nat.ip("address", "add", `${lan}.1/24`, "dev", "lan");
  nat.ip("link", "set", "lan", "up");
  client.ip("address", "add", `${lan}.2/24`, "dev", "eth");
  client.ip("link", "set", "eth", "up");
  client.ip("route", "add", "default", "via", `${lan}.1`);
  translate(nat, kind);
  return new Site(client, nat, address);
}

function translate(nat: Namespace, kind: NatKind): void {
  nat.set("net.ipv4.ip_forward", "1");
  const masquerade = ["-t", "nat", "-A", "POSTROUTING", "-o", "wan"];
  if (kind === "symmetric")
    nat.iptables(...masquerade, "-p", "udp", "-j", "MASQUERADE", "--random-fully");
  nat.iptables(...masquerade, "-j", "MASQUERADE");
  // Otherwise a packet nobody asked for would claim the port that the client's own packet is to leave by.
  nat.iptables("-A", "INPUT", "-i", "wan", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP");
  nat.iptables("-A", "FORWARD", "-i", "wan", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP");
}
