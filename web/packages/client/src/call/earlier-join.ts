// The join of a page that was closed or reloaded. The next page of the tab presents its token to
// replace that participant. Otherwise a server that has not noticed the disconnect would find the
// room full or show the same person twice.
import type { KeyValueStorage } from "../options.ts";
import type { ParticipantId } from "../protocol.ts";

const KEY = "moim.earlier-join";

export interface EarlierJoin {
  room: string;
  /** Proves the identity of the participant. */
  token: string;
  /** Its ids, the last one at the end. Pages of the first version kept none. */
  ids?: readonly ParticipantId[];
}

/**
 * Stores the join in the tab's session storage, only when the page is being unloaded: a duplicated
 * tab copies the storage and would otherwise replace the participant of the original.
 */
export function saveEarlierJoin(storage: KeyValueStorage | undefined, join: EarlierJoin): void {
  try {
    storage?.setItem(KEY, JSON.stringify(join));
  } catch {
    // Full or forbidden: the server will notice the disconnect by itself.
  }
}

/** This tab's last join, if it was to that room. */
export function loadEarlierJoin(
  storage: KeyValueStorage | undefined,
  room: string,
): EarlierJoin | undefined {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? "null");
    return isEarlierJoin(stored) && stored.room === room ? stored : undefined;
  } catch {
    return undefined;
  }
}

export function clearEarlierJoin(storage: KeyValueStorage | undefined): void {
  try {
    storage?.removeItem(KEY);
  } catch {
    // The token is useless once its participant is gone.
  }
}

function isEarlierJoin(stored: unknown): stored is EarlierJoin {
  const { room, token, ids } = (stored ?? {}) as Partial<Record<keyof EarlierJoin, unknown>>;
  const hasIds = ids === undefined || Array.isArray(ids);
  return typeof room === "string" && typeof token === "string" && hasIds;
}
