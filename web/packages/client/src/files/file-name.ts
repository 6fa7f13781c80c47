// Names of files, which come from others.

/** As enforced by the server, in characters. */
const MAX_CHARACTERS = 200;

/** Separators of folders, and what file systems reserve. */
const RESERVED = /[/\\:*?"<>|]/g;
/** Control characters, and those that turn the direction of text or can't be seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu;
/** Joins the parts of an emoji. */
const JOINER = /(\p{Extended_Pictographic}\u{fe0f}?)\u{200d}(?=\p{Extended_Pictographic})/gu;
const KEPT_JOINER = "\u{e000}";
/** Devices of Windows, whatever the extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * A name under which a file may be saved and shown: one part of a path, of which everything can be
 * seen, its extension included.
 */
export function safeFileName(name: string): string {
  const seen = name
    .normalize("NFC")
    .replaceAll(KEPT_JOINER, "")
    .replace(JOINER, `$1${KEPT_JOINER}`)
    .replace(UNSEEN, "")
    .replaceAll(KEPT_JOINER, "\u{200d}")
    .replace(RESERVED, "_")
    .replace(/\s+/g, " ")
    .replace(/^[ .]+|[ .]+$/g, "");
  const named = seen === "" ? "file" : seen;
  return shortened(DEVICE.test(named) ? `_${named}` : named);
}

/** Cut in the middle, so that the extension stays. */
function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_CHARACTERS) return name;
  const { extension } = splitFileName(name);
  const rest = MAX_CHARACTERS - [...extension].length - 1;
  return `${characters.slice(0, rest).join("").trimEnd()}…${extension}`;
}

/** The name in two parts, of which the second is the extension with its dot, or empty. */
export function splitFileName(name: string): { stem: string; extension: string } {
  const match = /^(.+)(\.[^.\s]{1,12})$/su.exec(name);
  return match
    ? { stem: match[1] ?? "", extension: match[2] ?? "" }
    : { stem: name, extension: "" };
}
