/** What stands for somebody whose camera is off. */

/** How many tones there are to tell people apart. */
const TONES = 8;

/** Two letters at most: the given name's syllables in Korean, first and last initials elsewhere. */
export function initials(name: string): string {
  const words = name.normalize("NFC").trim().split(/\s+/).filter(Boolean);
  const first = words[0];
  if (first === undefined) return "";
  const letters = graphemes(first);
  if (/^[가-힣]+$/.test(first)) return letters.slice(-2).join("");
  const last = words.length > 1 ? graphemes(words.at(-1) ?? "")[0] : "";
  return ((letters[0] ?? "") + (last ?? "")).toUpperCase();
}

/** Whole characters as people see them, an emoji family being one. */
function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), (part) => part.segment);
}

/** The same name has the same tone on every screen. */
export function toneOf(name: string): number {
  let hash = 0;
  for (const character of name.normalize("NFC")) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return hash % TONES;
}
