// Transfers that a reload of the page interrupts, kept in the tab's session storage.
import type { KeyValueStorage } from "../options.ts";
import type { OfferedFile } from "./file-signal.ts";
import { KEPT_TRANSFERS } from "./keys.ts";

const MAX_KEPT = 20;

export function saveTransfers(
  tab: KeyValueStorage | undefined,
  room: string,
  transfers: readonly OfferedFile[],
): void {
  try {
    if (transfers.length === 0) return forgetTransfers(tab);
    tab?.setItem(KEPT_TRANSFERS, JSON.stringify({ room, transfers: transfers.slice(0, MAX_KEPT) }));
  } catch {
    // Full or forbidden: they begin anew.
  }
}

export function loadTransfers(
  tab: KeyValueStorage | undefined,
  room: string,
): readonly OfferedFile[] {
  try {
    const kept: unknown = JSON.parse(tab?.getItem(KEPT_TRANSFERS) ?? "null");
    if (typeof kept !== "object" || kept === null) return [];
    const { room: of, transfers } = kept as Record<string, unknown>;
    if (of !== room || !Array.isArray(transfers)) return [];
    return transfers.slice(0, MAX_KEPT).filter(isOffer);
  } catch {
    return [];
  }
}

export function forgetTransfers(tab: KeyValueStorage | undefined): void {
  try {
    tab?.removeItem(KEPT_TRANSFERS);
  } catch {
    // As above.
  }
}

function isOffer(value: unknown): value is OfferedFile {
  const { file, from, name, at, isPrivate } = (value ?? {}) as Record<string, unknown>;
  const { id, name: fileName, size } = (file ?? {}) as Record<string, unknown>;
  const texts = [from, name, id, fileName];
  const isComplete = texts.every((text) => typeof text === "string");
  return (
    isComplete &&
    typeof at === "number" &&
    typeof size === "number" &&
    typeof isPrivate === "boolean"
  );
}
