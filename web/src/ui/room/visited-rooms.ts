/** Rooms in which this browser has been, for the start page. They stay on this device. */

export interface VisitedRoom {
  name: string;
  /** Time of the last visit, in milliseconds since 1970. */
  at: number;
  isPinned: boolean;
  /** A password led into it. */
  isLocked?: boolean;
}

/** Rooms that are kept, besides pinned ones. */
const MAX_RECENT = 5;
/** Pinned rooms that are kept. */
const MAX_PINNED = 20;

const KEY = "moim.rooms";

/** The rooms with one visited just now. */
export function visited(
  rooms: readonly VisitedRoom[],
  { name, isLocked = false }: Pick<VisitedRoom, "name" | "isLocked">,
  now: number,
): VisitedRoom[] {
  const isPinned = rooms.some((room) => room.name === name && room.isPinned);
  return kept([{ name, at: now, isPinned, isLocked }, ...removed(rooms, name)]);
}

/** The rooms with one pinned or not. */
export function pinned(
  rooms: readonly VisitedRoom[],
  name: string,
  isPinned: boolean,
): VisitedRoom[] {
  return kept(rooms.map((room) => (room.name === name ? { ...room, isPinned } : room)));
}

export function removed(rooms: readonly VisitedRoom[], name: string): VisitedRoom[] {
  return rooms.filter((room) => room.name !== name);
}

/** Pinned rooms first, then the last ones; no more than are kept. */
function kept(rooms: readonly VisitedRoom[]): VisitedRoom[] {
  const byTime = [...rooms].sort((a, b) => b.at - a.at);
  const pinned = byTime.filter((room) => room.isPinned).slice(0, MAX_PINNED);
  return [...pinned, ...byTime.filter((room) => !room.isPinned).slice(0, MAX_RECENT)];
}

/** Reads what was stored; anything else than rooms is dropped. */
export function parseRooms(stored: string | null): VisitedRoom[] {
  try {
    const rooms: unknown = JSON.parse(stored ?? "[]");
    return Array.isArray(rooms) ? kept(rooms.filter(isRoom)) : [];
  } catch {
    return [];
  }
}

function isRoom(value: unknown): value is VisitedRoom {
  const { name, at, isPinned } = (value ?? {}) as Partial<VisitedRoom>;
  return typeof name === "string" && name !== "" && Number.isFinite(at) && isPinned !== undefined;
}

/** The rooms in a storage. */
export class VisitedRooms {
  readonly #storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly #listeners = new Set<() => void>();
  #stored: string | null = null;
  #rooms: readonly VisitedRoom[] = [];

  /** `storage` throws where nothing may be stored. */
  constructor(storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem">) {
    this.#storage = storage;
  }

  getSnapshot = (): readonly VisitedRoom[] => {
    const stored = this.#read();
    if (stored !== this.#stored) {
      this.#stored = stored;
      this.#rooms = parseRooms(stored);
    }
    return this.#rooms;
  };

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  visit(name: string, isLocked = false): void {
    this.#write(visited(this.getSnapshot(), { name, isLocked }, Date.now()));
  }

  /** True if the room had a password at the last visit. */
  wasLocked(name: string): boolean {
    return this.getSnapshot().some((room) => room.name === name && room.isLocked === true);
  }

  pin(name: string, isPinned: boolean): void {
    this.#write(pinned(this.getSnapshot(), name, isPinned));
  }

  remove(name: string): void {
    this.#write(removed(this.getSnapshot(), name));
  }

  forgetAll(): void {
    this.#write([]);
  }

  #read(): string | null {
    try {
      return this.#storage().getItem(KEY);
    } catch {
      return null;
    }
  }

  #write(rooms: readonly VisitedRoom[]): void {
    try {
      if (rooms.length > 0) this.#storage().setItem(KEY, JSON.stringify(rooms));
      else this.#storage().removeItem(KEY);
    } catch {
      // Full or forbidden: the start page works without them.
    }
    for (const listener of [...this.#listeners]) listener();
  }
}

export const visitedRooms = new VisitedRooms(() => localStorage);
