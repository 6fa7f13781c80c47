// A small internet on one machine:
//
//   client a -- NAT a --\
//                        WAN -- server
//   client b -- NAT b --/
//
// The addresses look public, because a relay refuses the private ones; no packet ever leaves the namespaces.

import { cable, Namespace } from "./namespace.ts";
import { Wire } from "./wire.ts";

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
    /** The cable between the NAT (its end A) and the client (B), in a world with faulty lines. */
    readonly line: Wire | undefined,
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

/** `faulty`: tests may delay, lose and narrow what goes between a client and its NAT. */
export type Lines = "plain" | "faulty";

export class World {
  readonly serverAddress = "11.22.33.2";

  private constructor(
    readonly server: Namespace,
    readonly a: Site,
    readonly b: Site,
    private readonly hosts: Namespace[],
  ) {}

  static async open(nat: NatKind, lines: Lines = "plain"): Promise<World> {
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
        const [box, client] = [add(`nat-${name}`), add(`client-${name}`)];
        const line = lines === "faulty" ? await Wire.plug(box, "lan", client, "eth") : undefined;
        if (!line) cable(box, "lan", client, "eth");
        return addSite(wan, box, client, host, nat, line);
      };
      const a = await site("a", 1);
      const b = await site("b", 2);
      return new World(server, a, b, hosts);
    } catch (error) {
      for (const host of hosts) host.remove();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const { line } of [this.a, this.b]) await line?.unplug();
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

/** Gives addresses to a NAT and a client that are joined already. */
function addSite(
  wan: Namespace,
  nat: Namespace,
  client: Namespace,
  host: number,
  kind: NatKind,
  line: Wire | undefined,
): Site {
  const address = `11.22.33.${10 + host}`;
  const lan = `10.81.${host}`;
  plug(wan, nat, address);
  nat.ip("address", "add", `${lan}.1/24`, "dev", "lan");
  nat.ip("link", "set", "lan", "up");
  client.ip("address", "add", `${lan}.2/24`, "dev", "eth");
  client.ip("link", "set", "eth", "up");
  client.ip("route", "add", "default", "via", `${lan}.1`);
  translate(nat, kind);
  return new Site(client, nat, address, line);
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
