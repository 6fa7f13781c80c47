/** State of a call while the server is out of reach. */
import type { CallState, StatsSample } from "moim-client";

/**
 * - `away`: media goes on without the server;
 * - `lost`: it does not, and the call tries to reconnect;
 * - `trying`: it has done so for long;
 * - `offline`: the device has no network.
 */
export type Outage = "away" | "lost" | "trying" | "offline";

/** Time after which leaving is suggested. */
const LONG_S = 60;

/** Received bitrate (b/s) above which somebody is seen or heard. */
const MEDIA_BITRATE = 4_000;

export function outageOf(
  { topology, others }: Pick<CallState, "topology"> & { others: readonly Other[] },
  { seconds, isOnline, latest }: { seconds: number; isOnline: boolean; latest?: Latest },
): Outage {
  const isPeerToPeer = ({ direct }: Other) => topology === "mesh" || direct;
  const isConnected = others.some(
    (other) => isPeerToPeer(other) && other.connection === "connected",
  );
  if (isConnected || (latest?.in ?? 0) > MEDIA_BITRATE) return "away";
  if (!isOnline) return "offline";
  return seconds >= LONG_S ? "trying" : "lost";
}

type Other = Pick<CallState["others"][number], "connection" | "direct">;
type Latest = Pick<StatsSample, "in"> | undefined;
