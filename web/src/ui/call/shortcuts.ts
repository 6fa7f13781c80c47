/** Keys that work anywhere in a call. */
import { isComposing } from "../parts/composing.ts";

export type Shortcut = "mic" | "camera";

const KEYS: Readonly<Record<string, Shortcut>> = { d: "mic", e: "camera" };
const LETTERS: Readonly<Record<Shortcut, string>> = { mic: "D", camera: "E" };
/** By place on the keyboard: with a Korean layout the D key types ㅇ. */
const CODES: Readonly<Record<string, Shortcut>> = { KeyD: "mic", KeyE: "camera" };

type Pressed = Pick<
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

/** What a key press asks for; a key held down asks once. */
export function shortcutOf(pressed: Pressed, isMac: boolean): Shortcut | null {
  if (isComposing(pressed)) return null;
  const modifier = isMac ? pressed.metaKey : pressed.ctrlKey;
  const other = isMac ? pressed.ctrlKey : pressed.metaKey;
  if (!modifier || other || pressed.altKey || pressed.shiftKey || pressed.repeat) return null;
  return KEYS[pressed.key.toLowerCase()] ?? CODES[pressed.code] ?? null;
}

/** As keyboards show it. */
export function keysOf(shortcut: Shortcut, isMac: boolean): string {
  return isMac ? `⌘${LETTERS[shortcut]}` : `Ctrl+${LETTERS[shortcut]}`;
}
