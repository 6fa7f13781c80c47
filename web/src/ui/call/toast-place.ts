/** Place of the toasts over the stage, where they cover no name of a tile and no floating tile. */
import type { Rect, Stage } from "./layout.ts";

/** Toasts that fit there: two, one, or one of a single line. */
export type ToastRoom = "two" | "one" | "line";

export interface ToastPlace {
  /** Distance (px) from the lower edge of the stage. */
  bottom: number;
  room: ToastRoom;
}

/** The toasts' column (px): its distance from the left edge, and its greatest width. */
const LEFT = 12;
const WIDTH = 360;
/** Least distance (px) from the lower edge. */
const EDGE = 8;
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
  /** Height of the buttons that turn pages. */
  pager: number;
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
  const { floating } = taken;
  const covered =
    floating && isInColumn(floating)
      ? [{ from: fromBelow(floating.y + floating.height), to: fromBelow(floating.y) }]
      : [];
  const zones = [...names, ...covered];
  const lowest = (room: ToastRoom, zones: readonly Zone[]) =>
    lowestGap(toastHeight(room, scale), zones, stage.height);
  const paged = [...zones, { from: 0, to: taken.pager }];
  const one = lowest("one", paged);
  if (one !== null && one <= LOWER_PART * stage.height) {
    return { bottom: one, room: lowest("two", paged) === one ? "two" : "one" };
  }
  // Lower tiles have a name every few lines: there it may lie over the buttons that turn pages.
  return { bottom: lowest("line", zones) ?? EDGE, room: "line" };
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
