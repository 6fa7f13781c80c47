/** Keyboard shortcuts of a call. */
import { isComposing } from "./composing.ts";

export type Shortcut = "mic" | "camera";

const KEYS: Readonly<Record<string, Shortcut>> = { d: "mic", e: "camera" };
const LETTERS: Readonly<Record<Shortcut, string>> = { mic: "D", camera: "E" };
/** Physical keys: with a Korean layout the D key types ㅇ. */
const CODES: Readonly<Record<string, Shortcut>> = { KeyD: "mic", KeyE: "camera" };

type KeyPress = Pick<
  KeyboardEvent,
  | "key"
  | "code"
  | "ctrlKey"
  | "metaKey"
  | "altKey"
  | "shiftKey"
  | "repeat"
  | "isComposing"
  | "keyCode"
>;

/** Maps a key press to a shortcut; repeats of a held key are ignored. */
export function shortcutOf(press: KeyPress, isMac: boolean): Shortcut | null {
  if (isComposing(press)) return null;
  const modifier = isMac ? press.metaKey : press.ctrlKey;
  const other = isMac ? press.ctrlKey : press.metaKey;
  if (!modifier || other || press.altKey || press.shiftKey || press.repeat) return null;
  return KEYS[press.key.toLowerCase()] ?? CODES[press.code] ?? null;
}

/** Formats a shortcut in the platform's notation. */
export function keysOf(shortcut: Shortcut, isMac: boolean): string {
  return isMac ? `⌘${LETTERS[shortcut]}` : `Ctrl+${LETTERS[shortcut]}`;
}
