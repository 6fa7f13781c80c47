/** `keyCode` of a key press that the input method has processed (UI Events §7.3.1). */
const PROCESSED_KEY_CODE = 229;

/**
 * Returns whether a key press belongs to text composition, as for Hangul and kana. Safari ends the
 * composition before the event of the key that ends it, so there only the key code shows it.
 */
export function isComposing(event: Pick<KeyboardEvent, "isComposing" | "keyCode">): boolean {
  return event.isComposing || event.keyCode === PROCESSED_KEY_CODE;
}
