// What the page shows, as the media server is told, so that it sends no more than that.
import type { ParticipantId } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";

/** A picture on the page, in device pixels; 0 by 0 where it is out of sight. */
export interface Sight {
  readonly participant: ParticipantId;
  readonly source: Source;
  readonly width: number;
  readonly height: number;
}

/** Sizes are told in steps of this many pixels: a tile that grows a little needs no other layer. */
const STEP = 16;

/** As it is told: ordered and rounded, so that what means the same is the same. */
export function toldOf(sights: readonly Sight[]): Sight[] {
  const rounded = (pixels: number) => Math.round(Math.max(0, pixels) / STEP) * STEP;
  return sights
    .map((sight) => ({ ...sight, width: rounded(sight.width), height: rounded(sight.height) }))
    .sort((a, b) => order(a.participant, b.participant) || order(a.source, b.source));
}

export function isSame(a: readonly Sight[], b: readonly Sight[]): boolean {
  return (
    a.length === b.length &&
    a.every((sight, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        sight.participant === other.participant &&
        sight.source === other.source &&
        sight.width === other.width &&
        sight.height === other.height
      );
    })
  );
}

/** Out of sight: nothing is to be waited for. */
export function isHidden(sights: readonly Sight[], id: ParticipantId, source: Source): boolean {
  const sight = sights.find((each) => each.participant === id && each.source === source);
  return sight !== undefined && sight.width * sight.height === 0;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
