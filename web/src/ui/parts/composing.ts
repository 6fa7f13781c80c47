/** The code of a key that an input method has taken (UI Events §7.3.1). */
const PROCESSED = 229;

/**
 * Whether a key press belongs to the text being composed, as Hangul and kana are. Safari ends the
 * composition before the key that ended it is pressed, so there only the code tells.
 */
export function isComposing(event: Pick<KeyboardEvent, "isComposing" | "keyCode">): boolean {
  return event.isComposing || event.keyCode === PROCESSED;
}
