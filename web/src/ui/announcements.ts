/** Texts that wait to be announced: each text once, short, and not too many. */
import { clip } from "./parts/clip.ts";

/** Announcements that wait; the oldest is dropped, as it is the least true by then. */
const MAX_WAITING = 4;
/** Length of an announcement: a screen reader can't be told to skip the rest. */
const MAX_LENGTH = 120;

export function enqueue(waiting: readonly string[], text: string): string[] {
  const clipped = clip(text, MAX_LENGTH);
  return waiting.includes(clipped) ? [...waiting] : [...waiting, clipped].slice(-MAX_WAITING);
}
