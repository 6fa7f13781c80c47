/** Finds the links in a message. Everything else stays plain text and never becomes markup. */

import { withoutQuery } from "../router.ts";

export interface TextPart {
  text: string;
  /** Target of a link; absent for plain text. */
  href?: string;
}

const URL_PATTERN = /\bhttps?:\/\/[^\s<>"'`]+/gi;
/** Punctuation that ends a sentence and is not part of a URL. */
const TRAILING = /[.,;:!?…'"»”’]+$/u;

/**
 * Splits a text into plain parts and links; concatenated, they are the text. A link to `origin`,
 * this page's own, leads there without its query: the click would count as the page's own.
 */
export function linkify(text: string, origin: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const link = parseLink(match[0], origin);
    if (!link) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push(link);
    end = match.index + link.text.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Strips punctuation of the surrounding sentence; null if the rest is not a safe URL. */
function parseLink(raw: string, origin: string): (TextPart & { href: string }) | null {
  let text = raw.replace(TRAILING, "");
  // A bracket without its opening one inside the URL belongs to the sentence.
  while (text.endsWith(")") && count(text, "(") < count(text, ")")) {
    text = text.slice(0, -1).replace(TRAILING, "");
  }
  try {
    const url = new URL(text);
    const { protocol, username } = url;
    // A user name before the host can disguise the host.
    if (username || (protocol !== "http:" && protocol !== "https:")) return null;
    return { text, href: url.origin === origin ? withoutQuery(url).href : url.href };
  } catch {
    return null;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
