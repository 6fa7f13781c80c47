/**
 * The call of this tab, for a page that is reloaded, or that the browser discards or loses in a
 * crash, to return to it. Session storage ends with the tab; the call is forgotten when it is left.
 */

export interface KeptCall {
  room: string;
  name: string;
  password: string;
}

const KEY = "moim.kept-call";

/**
 * Time after the last sign of the page within which it returns by itself. Later, an open microphone
 * would come as a surprise, as when a browser restores its tabs the next morning.
 */
const MAX_AGE_MS = 2 * 60_000;

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export function keepCall(storage: Store | undefined, call: KeptCall, now: number): void {
  try {
    storage?.setItem(KEY, JSON.stringify({ ...call, at: now }));
  } catch {
    // Full or forbidden: a reload leads to the preview.
  }
}

/** The call in this room that the page should return to. */
export function findKeptCall(
  storage: Store | undefined,
  room: string,
  now: number,
): KeptCall | null {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? "null");
    const { at, ...kept } = (stored ?? {}) as Partial<KeptCall & { at: number }>;
    const { name, password } = kept;
    if (kept.room !== room || typeof name !== "string" || typeof password !== "string") return null;
    return typeof at === "number" && now - at <= MAX_AGE_MS ? { room, name, password } : null;
  } catch {
    return null;
  }
}

export function forgetCall(storage: Store | undefined): void {
  try {
    storage?.removeItem(KEY);
  } catch {
    // Forbidden: nothing was kept.
  }
}

export function tabStorage(): Storage | undefined {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}

/** This page load continues an earlier one; whoever types the address wants to see the preview. */
export function isReload(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const { wasDiscarded } = document as Document & { wasDiscarded?: boolean };
  return entry?.type === "reload" || wasDiscarded === true;
}
