// Which of two ways somebody's track is taken from: the old one until the new one brings something.
import type { MediaState } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";
import type { Way } from "./routes.ts";

/** One source of one participant, by both ways. */
export interface Offered {
  /** The way it is taken from just now. */
  readonly shown: Way | null;
  /** The way it is to be taken from in the end. */
  readonly wanted: Way;
  /** By which ways there is a track. */
  readonly has: Readonly<Record<Way, boolean>>;
  /** The wanted way has brought something, or there is nothing to wait for. */
  readonly arrived: boolean;
}

/** The way to take it from now; null where there is none. */
export function chosen({ shown, wanted, has, arrived }: Offered): Way | null {
  const other = wanted === "mesh" ? "sfu" : "mesh";
  if (has[wanted] && (shown === wanted || arrived || !has[other])) return wanted;
  return has[other] ? other : null;
}

/** Whether the source brings anything that could be waited for. A screen's sound may be silent. */
export function isActive(media: MediaState, source: Source): boolean {
  switch (source) {
    case "microphone":
      return media.mic;
    case "camera":
      return media.camera;
    case "screen":
      return media.screen;
    case "screen_audio":
      return false;
  }
}
