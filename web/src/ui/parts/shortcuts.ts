/** Keyboard shortcuts of a call. */
import { isComposing } from "./composing.ts";

/** `bar`: to the controls; `help`: the list of shortcuts. */
export type Shortcut = "mic" | "camera" | "bar" | "help";

const KEYS: Readonly<Record<string, Shortcut>> = { d: "mic", e: "camera" };
/** Physical keys: with a Korean layout the D key types ㅇ. */
const CODES: Readonly<Record<string, Shortcut>> = { KeyD: "mic", KeyE: "camera" };

const NAMES: Readonly<Record<Shortcut, { mac: string; other: string }>> = {
  mic: { mac: "⌘D", other: "Ctrl+D" },
  camera: { mac: "⌘E", other: "Ctrl+E" },
  bar: { mac: "F2", other: "F2" },
  help: { mac: "⇧⌘/", other: "Ctrl+Shift+/" },
};

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

/**
 * Maps a key press to a shortcut; repeats of a held key are ignored. `isTyping`: the focus is in a
 * field, where keys without a modifier are text.
 */
export function shortcutOf(press: KeyPress, isMac: boolean, isTyping = false): Shortcut | null {
  if (isComposing(press) || press.altKey || press.repeat) return null;
  const modifier = isMac ? press.metaKey : press.ctrlKey;
  const other = isMac ? press.ctrlKey : press.metaKey;
  if (other) return null;
  if (!modifier) {
    if (press.key === "F2" && !press.shiftKey) return "bar";
    return press.key === "?" && !isTyping ? "help" : null;
  }
  if (press.shiftKey) return press.code === "Slash" || press.key === "?" ? "help" : null;
  return KEYS[press.key.toLowerCase()] ?? CODES[press.code] ?? null;
}

/** Formats a shortcut in the platform's notation. */
export function keysOf(shortcut: Shortcut, isMac: boolean): string {
  return NAMES[shortcut][isMac ? "mac" : "other"];
}
