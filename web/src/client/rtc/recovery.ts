// How a link does, and when it is to look for new paths.
import type { Connection } from "../api.ts";

/** Tries without success after which the link counts as failed; trying goes on. */
const HOPELESS = 2;

/** A link's health. */
export interface Health {
  /** What the page shows. */
  readonly connection: Connection;
  /** ICE restarts since it was last connected. */
  readonly attempts: number;
}

export const NEW_LINK: Health = { connection: "connecting", attempts: 0 };

/** The health after the peer connection changed its state. */
export function afterState(health: Health, state: RTCPeerConnectionState): Health {
  switch (state) {
    case "connected":
      return { connection: "connected", attempts: 0 };
    case "disconnected":
      return { ...health, connection: waiting(health) };
    case "failed":
      return {
        ...health,
        connection: health.attempts >= HOPELESS ? "failed" : "reconnecting",
      };
    default:
      return health;
  }
}

/** The health after a restart began. */
export function afterRestart(health: Health): Health {
  return { ...health, attempts: health.attempts + 1 };
}

/** Restarting has not helped, so the link is to be made anew. */
export function isHopeless(health: Health): boolean {
  return health.attempts > HOPELESS;
}

/**
 * How long to wait before the next restart, in milliseconds; null where none is due.
 *
 * A disconnected link often comes back by itself (RFC 7675 consent is retried), so it gets a
 * moment. The polite end waits a little longer, so that mostly one end restarts.
 */
export function restartDelay(
  health: Health,
  state: RTCPeerConnectionState,
  polite: boolean,
): number | null {
  const courtesy = polite ? 1_000 : 0;
  if (state === "connected" || state === "closed") return null;
  if (health.attempts > 0) return Math.min(4_000 * 2 ** health.attempts, 30_000) + courtesy;
  if (state === "failed") return courtesy;
  if (state === "disconnected") return 2_000 + courtesy;
  return null; // the first attempt ends by itself, in connected or failed
}

function waiting(health: Health): Connection {
  return health.connection === "failed" ? "failed" : "reconnecting";
}
