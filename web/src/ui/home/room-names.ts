/** Suggested room names. */
import type { Language } from "../i18n/language.ts";

const words: Record<Language, { first: readonly string[]; second: readonly string[] }> = {
  en: {
    first: [
      "amber",
      "brave",
      "calm",
      "cosy",
      "curious",
      "early",
      "gentle",
      "happy",
      "humming",
      "kind",
      "lively",
      "mellow",
      "merry",
      "misty",
      "quiet",
      "rainy",
      "silver",
      "snowy",
      "sunny",
      "warm",
    ],
    second: [
      "acorn",
      "badger",
      "bridge",
      "brook",
      "cloud",
      "ferry",
      "garden",
      "heron",
      "island",
      "lantern",
      "magpie",
      "meadow",
      "otter",
      "pebble",
      "pine",
      "plum",
      "sparrow",
      "table",
      "teapot",
      "willow",
    ],
  },
  ko: {
    first: [
      "포근한",
      "느긋한",
      "반가운",
      "다정한",
      "고요한",
      "씩씩한",
      "유쾌한",
      "산뜻한",
      "따뜻한",
      "명랑한",
      "든든한",
      "수줍은",
      "빛나는",
      "노래하는",
      "꿈꾸는",
      "졸린",
      "달콤한",
      "푸른",
      "새로운",
      "용감한",
    ],
    second: [
      "까치",
      "다람쥐",
      "고래",
      "너구리",
      "수달",
      "참새",
      "사슴",
      "부엉이",
      "토끼",
      "구름",
      "바람",
      "단풍",
      "매화",
      "대나무",
      "조약돌",
      "시냇물",
      "등대",
      "찻집",
      "마당",
      "달빛",
    ],
  },
};

/** Characters that nobody confuses when they are read out. */
const CODE_CHARACTERS = "abcdefghkmnpqrstuvwxyz23456789";
/** Characters of each of two groups: 39 bits, beside 9 of the words. */
const CODE_LENGTH = 4;

/**
 * Two random words to remember and twice four characters that nobody guesses: an unlisted room is
 * as private as its name. Joined so that the name needs no escaping in a URL.
 */
export function suggestRoomName(language: Language, random: () => number = secureRandom): string {
  const { first, second } = words[language];
  const group = () =>
    Array.from({ length: CODE_LENGTH }, () => pick([...CODE_CHARACTERS], random)).join("");
  return `${pick(first, random)}-${pick(second, random)}-${group()}-${group()}`;
}

function secureRandom(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

function pick(from: readonly string[], random: () => number): string {
  return from[Math.floor(random() * from.length)] ?? "";
}
