// Health of a link and the schedule of its ICE restarts.
import type { ConnectionState } from "../api.ts";

/** Failed restarts after which the link counts as failed; restarts continue. */
const MAX_FAILED_RESTARTS = 2;

/** Restart delay of a disconnected link, which often recovers by itself (RFC 7675 consent). */
const DISCONNECTED_DELAY_MS = 2_000;

/** Extra delay of the polite end, so that usually only one end restarts. */
export const POLITE_DELAY_MS = 1_000;

/** Backoff of repeated restarts: doubled with each attempt. */
const BACKOFF_BASE_MS = 4_000;
const MAX_BACKOFF_MS = 30_000;

export interface LinkHealth {
  /** The state that the page shows. */
  readonly connection: ConnectionState;
  /** ICE restarts since the link was last connected. */
  readonly attempts: number;
}

export const NEW_LINK: LinkHealth = { connection: "connecting", attempts: 0 };

/** The health after the peer connection's state changed. */
export function reduceHealth(health: LinkHealth, state: RTCPeerConnectionState): LinkHealth {
  const { attempts, connection } = health;
  switch (state) {
    case "connected":
      return CONNECTED;
    case "disconnected":
      return { attempts, connection: connection === "failed" ? "failed" : "reconnecting" };
    case "failed":
      return {
        attempts,
        connection: attempts >= MAX_FAILED_RESTARTS ? "failed" : "reconnecting",
      };
    default:
      return health;
  }
}

const CONNECTED: LinkHealth = { connection: "connected", attempts: 0 };

/** The health after an ICE restart began. */
export function countRestart(health: LinkHealth): LinkHealth {
  return { ...health, attempts: health.attempts + 1 };
}

/** Restarts have not helped: a new peer connection is needed. */
export function needsNewConnection(health: LinkHealth): boolean {
  return health.attempts > MAX_FAILED_RESTARTS;
}

/** Delay until the next restart, in milliseconds; null if none is due. */
export function restartDelay(
  health: LinkHealth,
  state: RTCPeerConnectionState,
  polite: boolean,
): number | null {
  const extra = polite ? POLITE_DELAY_MS : 0;
  if (state === "connected" || state === "closed") return null;
  if (health.attempts > 0) {
    return Math.min(BACKOFF_BASE_MS * 2 ** health.attempts, MAX_BACKOFF_MS) + extra;
  }
  if (state === "failed") return extra;
  if (state === "disconnected") return DISCONNECTED_DELAY_MS + extra;
  return null; // the first attempt ends by itself, in connected or failed
}
