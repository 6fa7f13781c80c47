/** Place of the toasts over the stage, where they cover no name of a tile and no floating tile. */
import type { Rect, Stage } from "./layout.ts";

/** Toasts that fit there: two, one, or one of a single line. */
export type ToastRoom = "two" | "one" | "line";

export interface ToastPlace {
  /** Distance (px) from the lower edge of the stage. */
  bottom: number;
  room: ToastRoom;
  /** Greatest width (px). */
  width: number;
}

/** The toasts' column (px): its distance from the left edge, and its greatest width. */
const LEFT = 12;
const WIDTH = 360;
/** Least distance (px) from the lower edge. */
const EDGE = 8;
/** Least width (px) of a toast that keeps to the left of the buttons that turn pages. */
const LEAST_WIDTH = 180;
/** Tiles lower than this (px) have a smaller name. */
const LOW_TILE = 150;
/** Part of the stage's height below which a toast begins: it belongs to the lower edge. */
const LOWER_PART = 0.4;

/** A part of the stage's height, in px from its lower edge. */
interface Zone {
  from: number;
  to: number;
}

interface Taken {
  /** Tiles with a name. */
  tiles: readonly Rect[];
  floating: Rect | undefined;
  /** Height of the row with the buttons that turn pages, and the left end of the buttons. */
  pager: { height: number; left: number } | null;
}

/** `scale` is the size of the text, as a multiple of the usual one. */
export function placeToasts(stage: Stage, taken: Taken, scale = 1): ToastPlace {
  const right = LEFT + Math.min(WIDTH, stage.width - 2 * LEFT);
  const isInColumn = ({ x, width }: Rect) => x < right && x + width > LEFT;
  const fromBelow = (y: number) => stage.height - y;
  const names = taken.tiles.filter(isInColumn).map(({ y, height }): Zone => {
    const from = fromBelow(y + height);
    return { from, to: from + nameHeight(height, scale) };
  });
  const { floating, pager } = taken;
  const covered =
    floating && isInColumn(floating)
      ? [{ from: fromBelow(floating.y + floating.height), to: fromBelow(floating.y) }]
      : [];
  const zones = [...names, ...covered];
  const lowest = (room: ToastRoom, zones: readonly Zone[]) =>
    lowestGap(toastHeight(room, scale), zones, stage.height);
  const width = right - LEFT;
  const paged = pager ? [...zones, { from: 0, to: pager.height }] : zones;
  const one = lowest("one", paged);
  if (one !== null && one <= LOWER_PART * stage.height) {
    return { bottom: one, room: lowest("two", paged) === one ? "two" : "one", width };
  }
  // Lower tiles have a name every few lines: a line fits above one, or beside the buttons.
  const room = "line";
  if (pager) {
    const beside = Math.min(width, pager.left - EDGE - LEFT);
    const bottom = Math.max(0, (pager.height - toastHeight(room, scale)) / 2);
    const isFree = covered.every(({ from }) => from >= bottom + toastHeight(room, scale));
    if (beside >= LEAST_WIDTH && isFree) return { bottom, room, width: beside };
  }
  return { bottom: lowest(room, paged) ?? lowest(room, zones) ?? EDGE, room, width };
}

/** Height (px) that the name takes from a tile's lower edge on. */
function nameHeight(tileHeight: number, scale: number): number {
  return tileHeight <= LOW_TILE ? 14 + 19 * scale : 20 + 21 * scale;
}

/** Height (px) of toasts, of which one has two lines, or a touch screen's button to close. */
function toastHeight(room: ToastRoom, scale: number): number {
  const one = 20 + 40 * scale;
  if (room === "two") return 2 * one + 8;
  return room === "one" ? one : Math.max(48, 20 + 20 * scale);
}

/** Lowest place of this height between the zones; null if there is none. */
function lowestGap(height: number, zones: readonly Zone[], stageHeight: number): number | null {
  const candidates = [EDGE, ...zones.map(({ to }) => Math.ceil(to) + 2)].sort((a, b) => a - b);
  const isFree = (bottom: number) =>
    bottom >= EDGE &&
    bottom + height <= stageHeight &&
    zones.every(({ from, to }) => bottom >= to || bottom + height <= from);
  return candidates.find(isFree) ?? null;
}
