// State of the connection to the media server, with its timeouts. A value and its reducer.

/**
 * - `idle`: no link is needed;
 * - `connecting`: the link was never connected;
 * - `up`: it is connected;
 * - `lost`: it was connected and is being restored;
 * - `given up`: the timeout has passed; all media goes peer to peer until the next try.
 */
export type SfuState = "idle" | "connecting" | "up" | "lost" | "given up";

export type SfuEvent = "opened" | "connected" | "disconnected" | "gave up" | "closed";

/** Time to connect, or to restore a lost connection, before the link is given up. */
export const CONNECT_TIMEOUT_MS = 7_000;

/** Delay before a link that was given up is tried again. */
export const RETRY_DELAY_MS = 45_000;

/** The state after the event. */
export function reduceSfu(state: SfuState, event: SfuEvent): SfuState {
  switch (event) {
    case "opened":
      return "connecting";
    case "connected":
      return "up";
    case "disconnected":
      return state === "up" ? "lost" : state;
    case "gave up":
      return "given up";
    case "closed":
      // Giving up closes the link; the retry is still due.
      return state === "given up" ? state : "idle";
  }
}

export interface SfuTimeout {
  readonly delay: number;
  readonly action: "give up" | "retry";
}

/** The timeout that runs in a state. */
export function sfuTimeout(state: SfuState): SfuTimeout | null {
  switch (state) {
    case "connecting":
    case "lost":
      return { delay: CONNECT_TIMEOUT_MS, action: "give up" };
    case "given up":
      return { delay: RETRY_DELAY_MS, action: "retry" };
    case "idle":
    case "up":
      return null;
  }
}
