/** Two routes, `/` and `/r/NAME`, over the browser's history. */
import { useSyncExternalStore } from "react";

export type Route =
  | { view: "home"; name: string | undefined }
  | { view: "room"; room: string; name: string | undefined; join: boolean }
  | { view: "lost" };

/** The route an address means; pure, so that a test can ask. */
export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const name = query.get("name")?.trim() || undefined;
  if (pathname === "/" || pathname === "") return { view: "home", name };
  const encoded = /^\/r\/([^/]+)\/?$/.exec(pathname)?.[1];
  const room = encoded === undefined ? "" : decoded(encoded);
  if (!room) return { view: "lost" };
  return { view: "room", room, name, join: query.get("join") === "1" };
}

/** A room's path. Names are normalised as the server does, so equal names share an address. */
export function roomPath(room: string): string {
  return `/r/${encodeURIComponent(room.trim().normalize("NFC"))}`;
}

/** What people send each other. */
export function roomLink(room: string, origin: string = location.origin): string {
  return origin + roomPath(room);
}

/** The same for reading: letters of every script as they are, and still a link when copied. */
export function readableLink(room: string, origin: string = location.origin): string {
  const name = room.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}]/gu, encodeURIComponent);
  return `${origin}/r/${name}`;
}

/** Browsers resolve `.` and `..` in a path even when escaped: such a room has no address. */
export function isAddressable(room: string): boolean {
  return !/^\s*\.{0,2}\s*$/.test(room);
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded).trim().normalize("NFC");
  } catch {
    return "";
  }
}

const NAVIGATED = "moim:navigated";

let navigated = false;

/** Whether this document has been left for another view of the page, as by a click on a link. */
export function hasNavigated(): boolean {
  return navigated;
}

export function navigate(path: string, how: "push" | "replace" = "push"): void {
  navigated = true;
  if (how === "push") history.pushState(null, "", path);
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

/** The address now, as one string: it changes exactly when the route may have. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => location.pathname + location.search);
}
