/** Initials and colour of an avatar. */

/** Number of avatar colours. */
const TONE_COUNT = 8;

/** At most two letters: two syllables of a Korean given name, otherwise first and last initials. */
export function initials(name: string): string {
  const words = name.normalize("NFC").trim().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return "";
  const letters = graphemes(first);
  if (/^[가-힣]+$/.test(first)) return letters.slice(-2).join("");
  const last = words.length > 1 ? graphemes(words.at(-1) ?? "")[0] : "";
  return ((letters[0] ?? "") + (last ?? "")).toUpperCase();
}

/** Splits a text into user-perceived characters; an emoji family is one. */
function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), (part) => part.segment);
}

/** Derives a colour from a name, so that it is the same on every screen. */
export function toneOf(name: string): number {
  let hash = 0;
  for (const character of name.normalize("NFC")) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return hash % TONE_COUNT;
}
