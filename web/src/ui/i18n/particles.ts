/** Korean particles, whose form depends on the end of the preceding word. */

/** Pairs in the usual notation: the form after a final consonant / after a vowel. */
export type Particle = "은/는" | "이/가" | "을/를" | "과/와" | "으로/로" | "이에요/예요";

/** Final sound of a word when read aloud in Korean. */
export type Ending = "vowel" | "rieul" | "consonant" | "unknown";

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
/** Number of final consonants of a syllable block, including "none" (0); ㄹ has index 8. */
const FINAL_COUNT = 28;
const RIEUL_INDEX = 8;

/** Endings of 영 일 이 삼 사 오 육 칠 팔 구. */
const DIGITS: readonly Ending[] = [
  "consonant",
  "rieul",
  "vowel",
  "consonant",
  "vowel",
  "vowel",
  "consonant",
  "rieul",
  "rieul",
  "vowel",
];

/** Appends the fitting form of a particle; both forms if the pronunciation is unknown. */
export function withParticle(word: string, particle: Particle): string {
  const [closed = "", open = ""] = particle.split("/");
  switch (endingOf(word)) {
    case "vowel":
      return word + open;
    case "rieul":
      return word + (particle === "으로/로" ? open : closed);
    case "consonant":
      return word + closed;
    case "unknown":
      return word + bothForms(particle, closed, open);
  }
}

/** Classifies the last letter or digit; quotes and emoji are not read aloud. */
export function endingOf(word: string): Ending {
  const spoken = word.normalize("NFC").match(/[\p{L}\p{N}]+(?=[^\p{L}\p{N}]*$)/u)?.[0];
  const last = spoken?.at(-1);
  if (!spoken || !last) return "unknown";
  const code = last.charCodeAt(0);
  if (code >= FIRST_SYLLABLE && code <= LAST_SYLLABLE) {
    const final = (code - FIRST_SYLLABLE) % FINAL_COUNT;
    return final === 0 ? "vowel" : final === RIEUL_INDEX ? "rieul" : "consonant";
  }
  if (/[0-9]/.test(last)) return DIGITS[Number(last)] ?? "unknown";
  if (/[a-z]/i.test(last)) return latinEnding(spoken);
  return "unknown";
}

/** Ending of the usual Korean transcription of a Latin word, guessed from its spelling. */
function latinEnding(word: string): Ending {
  const isSpelled = word.length === 1 || word === word.toUpperCase();
  const lower = word.toLowerCase();
  if (isSpelled) {
    const letter = lower.at(-1) ?? "";
    if ("lr".includes(letter)) return "rieul";
    return "mn".includes(letter) ? "consonant" : "vowel";
  }
  if (/([^l]|^)le$|ll?$|[aeiou]le$/.test(lower)) return "rieul";
  if (/(m|n|ng|ck|[aeiou][mn]e|nne|mme)$/.test(lower)) return "consonant";
  if (/[bcdgkpt]$/.test(lower)) return "unknown";
  return "vowel";
}

function bothForms(particle: Particle, closed: string, open: string): string {
  return particle === "으로/로"
    ? "(으)로"
    : particle === "이에요/예요"
      ? "(이)에요"
      : `${closed}(${open})`;
}
