/** A message taken apart, so that addresses can be followed and nothing else becomes markup. */

export interface Word {
  text: string;
  /** Where it leads; absent where it is only text. */
  href?: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/gi;
/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?…'"»”’]+$/u;

/** The parts of a text, in order; together they are the text. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = address(match[0]);
    if (!found) continue;
    if (match.index > end) words.push({ text: text.slice(end, match.index) });
    words.push(found);
    end = match.index + found.text.length;
  }
  if (end < text.length) words.push({ text: text.slice(end) });
  return words;
}

/** The address without what belongs to the sentence around it; none if it leads nowhere. */
function address(raw: string): (Word & { href: string }) | null {
  let text = raw.replace(TRAILING, "");
  // A bracket that was not opened inside closes one outside.
  while (text.endsWith(")") && count(text, "(") < count(text, ")")) {
    text = text.slice(0, -1).replace(TRAILING, "");
  }
  try {
    const { protocol, href, username } = new URL(text);
    // A name before the host makes an address look like another's.
    if (username || (protocol !== "http:" && protocol !== "https:")) return null;
    return { text, href };
  } catch {
    return null;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
