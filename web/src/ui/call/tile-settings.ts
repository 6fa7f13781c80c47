import { useSyncExternalStore } from "react";

/** This user's settings of one tile. */
export interface TileSettings {
  /** 0 to 1. */
  volume: number;
  /** The tile's audio is not played here; everybody else hears it. */
  isMuted: boolean;
  /** Shows the whole picture, or as much as fills the tile; null leaves it to the picture. */
  fit: "contain" | "cover" | null;
}

export const USUAL: TileSettings = { volume: 1, isMuted: false, fit: null };

const KEY = "moim.tiles";

/** The settings of tiles by their keys, for as long as the tab is open. */
export class TileSettingsStore {
  readonly #storage: () => Pick<Storage, "getItem" | "setItem">;
  readonly #listeners = new Set<() => void>();
  #settings: ReadonlyMap<string, TileSettings> | null = null;

  /** `storage` may throw where storage is forbidden. */
  constructor(storage: () => Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
  }

  of(key: string): TileSettings {
    this.#settings ??= this.#load();
    return this.#settings.get(key) ?? USUAL;
  }

  set(key: string, changes: Partial<TileSettings>): void {
    const next = new Map([...(this.#settings ?? this.#load())]);
    next.set(key, { ...this.of(key), ...changes });
    this.#settings = next;
    try {
      this.#storage().setItem(KEY, JSON.stringify([...next]));
    } catch {
      // Storage is forbidden: the settings last as long as the page.
    }
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #load(): Map<string, TileSettings> {
    try {
      const stored: unknown = JSON.parse(this.#storage().getItem(KEY) ?? "[]");
      return new Map(Array.isArray(stored) ? stored.flatMap(parseEntry) : []);
    } catch {
      return new Map();
    }
  }
}

function parseEntry(entry: unknown): [string, TileSettings][] {
  const [key, value] = Array.isArray(entry) ? entry : [];
  const { volume, isMuted, fit } = (value ?? {}) as Partial<TileSettings>;
  const isLevel = typeof volume === "number" && volume >= 0 && volume <= 1;
  if (typeof key !== "string" || !isLevel || typeof isMuted !== "boolean") return [];
  return [[key, { volume, isMuted, fit: fit === "contain" || fit === "cover" ? fit : null }]];
}

const store = new TileSettingsStore(() => sessionStorage);

export function useTileSettings(
  key: string,
): [TileSettings, (changes: Partial<TileSettings>) => void] {
  const settings = useSyncExternalStore(store.subscribe, () => store.of(key));
  return [settings, (changes) => store.set(key, changes)];
}
