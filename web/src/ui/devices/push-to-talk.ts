/** Keys that are held to talk. */
import { isComposing } from "../parts/composing.ts";

type KeyPress = Pick<
  KeyboardEvent,
  "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "isComposing" | "keyCode"
>;

/** The target of a key press. */
export interface Focus {
  /** A field that takes text. */
  isField: boolean;
  /** No element has the focus. */
  isNone: boolean;
}

/**
 * True if the key is held to talk: V outside of fields, and the space bar where it presses no
 * button. Physical keys, since with a Korean layout the V key types ㅍ.
 */
export function isTalkKey(press: KeyPress, focus: Focus): boolean {
  if (isComposing(press)) return false;
  if (press.ctrlKey || press.metaKey || press.altKey || press.shiftKey) return false;
  return press.code === "KeyV" ? !focus.isField : press.code === "Space" && focus.isNone;
}

/** The target of a document's key presses. */
export function focusOf({ activeElement, body }: Document): Focus {
  const isNone = activeElement === null || activeElement === body;
  return { isNone, isField: activeElement?.matches(FIELDS) ?? false };
}

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";
