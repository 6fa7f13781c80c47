import { useState } from "react";
import type { AnyTileView } from "./tile-view.ts";

/** A pinned tile's traits, to find it again when its participant has a new id. */
export interface Pin {
  key: string;
  kind: AnyTileView["kind"];
  name: string;
}

const KEY = "moim.pin";

/** The pinned tile, for as long as the tab shows this room. */
export function usePin(room: string): [Pin | null, (tile: AnyTileView | null) => void] {
  const [pin, setPin] = useState(() => load(room));
  return [
    pin,
    (tile) => {
      const next = tile && { key: tile.key, kind: tile.kind, name: tile.name };
      save(room, next);
      setPin(next);
    },
  ];
}

/** Key of the pinned tile; that of a namesake if its participant came back with another id. */
export function pinnedKey(
  pin: Pin | null,
  tiles: readonly Pick<AnyTileView, "key" | "kind" | "name">[],
): string | null {
  if (!pin || tiles.some(({ key }) => key === pin.key)) return pin?.key ?? null;
  const namesakes = tiles.filter(({ kind, name }) => kind === pin.kind && name === pin.name);
  // Two of that name: a guess would show the wrong one.
  return namesakes.length === 1 ? (namesakes[0]?.key ?? null) : null;
}

function load(room: string): Pin | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    const { pin, room: of } = (stored ?? {}) as { pin?: Partial<Pin> | null; room?: unknown };
    const { key, kind, name } = pin ?? {};
    const isWhole = typeof key === "string" && typeof name === "string" && kind !== undefined;
    return of === room && isWhole ? { key, kind, name } : null;
  } catch {
    return null;
  }
}

function save(room: string, pin: Pin | null): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ room, pin }));
  } catch {
    // Storage is forbidden: the pin lasts as long as the page.
  }
}
