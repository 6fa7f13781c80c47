/** Candidates in the probe peer's answer. */

type Transport = "udp" | "tcp";

/** Returns the answer with its candidates of one transport only; null if there are none. */
export function onlyTransport(sdp: string, transport: Transport): string | null {
  let count = 0;
  const lines = sdp.split("\r\n").filter((line) => {
    if (!line.startsWith("a=candidate:")) return true;
    const matches = line.split(" ")[2]?.toLowerCase() === transport;
    if (matches) count += 1;
    return matches;
  });
  return count > 0 ? lines.join("\r\n") : null;
}
