/** Destination of a pasted link or a typed code. */
import { isAddressable, roomPath, withoutQuery } from "../router.ts";

export type Destination =
  /** A room of this server; the path may end in a fragment with an invitation. */
  | { kind: "room"; path: string }
  /** A room of another server. */
  | { kind: "elsewhere"; url: string; host: string }
  /** No room's link or name. */
  | { kind: "none" };

const NONE: Destination = { kind: "none" };

/** The text is, or contains, a link, well-formed or not, rather than a room's name. */
export function isLink(text: string, origin: string): boolean {
  const typed = text.trim();
  const isOfThisServer = typed.startsWith(`${new URL(origin).host}/`);
  return isOfThisServer || /https?:\/\/\S|^https?:|^\/?r\/[^/]/i.test(typed);
}

/** Parses a room's link, also inside a message or without its scheme, or the room's name. */
export function parseDestination(text: string, origin: string): Destination {
  const typed = text.trim();
  const { host } = new URL(origin);
  const link = /https?:\/\/\S+/i.exec(typed)?.[0];
  if (link) return parseLink(trimmed(link), origin);
  if (/^https?:/i.test(typed)) return NONE;
  // As address bars show links: without the scheme, which is then this server's own.
  if (typed.startsWith(`${host}/`))
    return parseLink(`${origin}${typed.slice(host.length)}`, origin);
  if (/^\/?r\/[^/]/.test(typed)) return parseLink(`${origin}/${typed.replace(/^\//, "")}`, origin);
  return isAddressable(typed) ? { kind: "room", path: roomPath(typed) } : NONE;
}

function parseLink(link: string, origin: string): Destination {
  let url: URL;
  try {
    url = withoutQuery(new URL(link));
  } catch {
    return NONE;
  }
  const encoded = /^\/r\/([^/]+)\/?$/.exec(url.pathname)?.[1];
  if (!encoded) return NONE;
  if (url.origin === origin) {
    return { kind: "room", path: `/r/${encoded}${credentialsOf(url.hash)}` };
  }
  return { kind: "elsewhere", url: `${url.origin}/r/${encoded}${url.hash}`, host: url.host };
}

/** The fragment, if it lets somebody in. */
function credentialsOf(fragment: string): string {
  return /^#(k|token)=./.test(fragment) ? fragment : "";
}

/** A link at the end of a sentence or in brackets. */
function trimmed(link: string): string {
  return link.replace(/[).,;:!?>\]"'”’]+$/, "");
}
