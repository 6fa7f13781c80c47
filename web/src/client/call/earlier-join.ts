// The last call of a page that is left or loaded again. The page that comes in its stead takes its
// place: a server that has not noticed yet would find the room full, or the same person twice.

const KEY = "moim.earlier-join";

export interface EarlierJoin {
  room: string;
  /** Proves who it was. */
  token: string;
}

/**
 * Kept in the tab's own storage, and only once the page is being left: a tab that is duplicated
 * would otherwise take the place of one that goes on.
 */
export function keepEarlierJoin(storage: Storage | undefined, join: EarlierJoin): void {
  try {
    storage?.setItem(KEY, JSON.stringify(join));
  } catch {
    // Full or forbidden: the server finds out by itself.
  }
}

/** The token of this tab's last call, if it was in that room. */
export function earlierJoin(storage: Storage | undefined, room: string): string | undefined {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(KEY) ?? "null");
    return isEarlierJoin(kept) && kept.room === room ? kept.token : undefined;
  } catch {
    return undefined;
  }
}

export function forgetEarlierJoin(storage: Storage | undefined): void {
  try {
    storage?.removeItem(KEY);
  } catch {
    // It opens nothing once its participant is gone.
  }
}

function isEarlierJoin(kept: unknown): kept is EarlierJoin {
  const { room, token } = (kept ?? {}) as Partial<Record<keyof EarlierJoin, unknown>>;
  return typeof room === "string" && typeof token === "string";
}
