/** Routes `/`, `/doctor`, `/admin` and `/r/NAME`, on top of the History API. */
import { useSyncExternalStore } from "react";

export type Route =
  | { view: "home"; name: string | undefined }
  | { view: "room"; room: string; name: string | undefined; join: boolean }
  | { view: "doctor"; seconds: number | undefined; probe: string | undefined }
  | { view: "admin"; section: string | undefined }
  | { view: "notFound" };

/** Parses an address into a route. */
export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const name = query.get("name")?.trim() || undefined;
  if (pathname === "/" || pathname === "") return { view: "home", name };
  if (/^\/doctor\/?$/.test(pathname)) {
    const seconds = query.get("seconds");
    const probe = query.get("probe") || undefined;
    return { view: "doctor", seconds: seconds === null ? undefined : Number(seconds), probe };
  }
  const admin = /^\/admin(?:\/([a-z]+))?\/?$/.exec(pathname);
  if (admin) return { view: "admin", section: admin[1] };
  const encoded = /^\/r\/([^/]+)\/?$/.exec(pathname)?.[1];
  const room = encoded === undefined ? "" : decodeName(encoded);
  if (!room) return { view: "notFound" };
  return { view: "room", room, name, join: query.get("join") === "1" };
}

/** Path of a room. Names are normalised as on the server, so equal names share an address. */
export function roomPath(room: string): string {
  return `/r/${encodeURIComponent(room.trim().normalize("NFC"))}`;
}

/** Link to a room, to be sent to others. */
export function roomLink(room: string, origin: string = location.origin): string {
  return origin + roomPath(room);
}

/**
 * The address without its query, which may hold another person's name, `join=1` or devices: no
 * business of a link that somebody else sent.
 */
export function withoutQuery(url: URL): URL {
  const bare = new URL(url);
  bare.search = "";
  return bare;
}

/** Readable link to a room: letters of all scripts are unescaped, and copying it still works. */
export function readableLink(room: string, origin: string = location.origin): string {
  const name = room.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]/gu, encodeURIComponent);
  return `${origin}/r/${name}`;
}

/** Returns whether a room can have an address: browsers resolve `.` and `..` even if escaped. */
export function isAddressable(room: string): boolean {
  return !/^\s*\.{0,2}\s*$/.test(room);
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded).trim().normalize("NFC");
  } catch {
    return "";
  }
}

const NAVIGATED = "moim:navigated";

let navigated = false;

/** Returns whether the user has moved to another view of this document, as by clicking a link. */
export function hasNavigated(): boolean {
  return navigated;
}

export function navigate(path: string, mode: "push" | "replace" = "push"): void {
  navigated = true;
  if (mode === "push") history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  dispatchEvent(new Event(NAVIGATED));
}

function subscribe(changed: () => void): () => void {
  addEventListener("popstate", changed);
  addEventListener(NAVIGATED, changed);
  return () => {
    removeEventListener("popstate", changed);
    removeEventListener(NAVIGATED, changed);
  };
}

/** Returns the current path and query, and re-renders when they change. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => location.pathname + location.search);
}
