/** Candidates in the probe peer's answer. */

/** `udp6` is UDP over IPv6. */
export type ProbeTransport = "udp" | "udp6" | "tcp";

/** Returns the answer with its candidates of one transport only; null if there are none. */
export function onlyTransport(sdp: string, transport: ProbeTransport): string | null {
  let count = 0;
  const lines = sdp.split("\r\n").filter((line) => {
    if (!line.startsWith("a=candidate:")) return true;
    const [, , protocol, , address] = line.split(" ");
    const isIpv6 = address?.includes(":") ?? false;
    const matches =
      protocol?.toLowerCase() === transport.slice(0, 3) && (transport !== "udp6" || isIpv6);
    if (matches) count += 1;
    return matches;
  });
  return count > 0 ? lines.join("\r\n") : null;
}
