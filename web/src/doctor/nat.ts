/** The mapping of a NAT, from the candidates that STUN at two ports of one server yields. */

export type Nat = "endpointIndependent" | "endpointDependent";

export interface Gathered {
  candidates: readonly RTCIceCandidate[];
  /** Every server has answered. */
  isComplete: boolean;
}

interface NatFacts {
  nat?: Nat;
  stunAddress?: string;
  hostCandidates?: number;
}

/** Judges candidates of STUN at `servers` ports of one host. */
export function natFacts({ candidates, isComplete }: Gathered, servers: number): NatFacts {
  const udp = candidates.filter(({ protocol }) => protocol === "udp");
  const hosts = udp.filter(({ type }) => type === "host");
  const mapped = udp.filter(({ type, address }) => type === "srflx" && isIpv4(address));
  const facts: NatFacts = isComplete ? { hostCandidates: hosts.length } : {};
  const first = mapped[0]?.address;
  if (first) facts.stunAddress = first;
  if (servers < 2) return facts;
  const ports = new Map<string, Set<number>>();
  for (const { address, port, relatedPort, foundation } of mapped) {
    // Browsers that hide addresses hide the port of the socket too.
    const socket = hosts.length === 1 ? "" : relatedPort || foundation;
    const key = `${address} ${socket}`;
    ports.set(key, (ports.get(key) ?? new Set()).add(port ?? 0));
  }
  if ([...ports.values()].some((of) => of.size > 1)) facts.nat = "endpointDependent";
  else if (isComplete) facts.nat = "endpointIndependent";
  return facts;
}

function isIpv4(address: string | null): boolean {
  return address !== null && /^\d+\.\d+\.\d+\.\d+$/.test(address);
}
