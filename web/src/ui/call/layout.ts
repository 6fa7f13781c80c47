/** Layout of the tiles of a call: the largest tiles that fit, computed without the DOM. */

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Stage {
  width: number;
  height: number;
}

export interface Arrangement {
  /** One rect per tile, in order, within the stage (below it if `height` exceeds it). */
  tiles: Rect[];
  /** Height of the content; the stage scrolls if this exceeds its height. */
  height: number;
  /** The last tile floats over the others. */
  floating: boolean;
}

/** Space between tiles. */
export const GAP = 10;

/** Usual aspect ratio of camera video. */
const CAMERA_ASPECT = 16 / 9;
/** Aspect ratios of tiles. Portrait stages allow narrower ones, as phones send portrait video. */
const LANDSCAPE_ASPECTS = { narrowest: 4 / 3, widest: 16 / 9 };
const PORTRAIT_ASPECTS = { narrowest: 2 / 3, widest: 16 / 9 };
/** Minimum width of a tile (px). The stage scrolls rather than going below it. */
const MIN_TILE_WIDTH = 132;
/** Shorter side (px) up to which a stage counts as a phone's. */
const PHONE_MAX_SIDE = 520;
/** Number of tiles that a phone in portrait shows in one column; more use two. */
const PHONE_SINGLE_COLUMN_TILES = 3;

/** Grid, in reading order. With two people on a phone the last one (the user) may float. */
export function arrange(count: number, stage: Stage, { mayFloat = true } = {}): Arrangement {
  if (count <= 0 || stage.width <= 0 || stage.height <= 0) {
    return { tiles: [], height: 0, floating: false };
  }
  if (mayFloat && count === 2 && isPhone(stage)) return pictureInPicture(stage);
  const columns = bestColumns(count, stage);
  const size = tileSize(count, columns, stage);
  return { ...inRows(count, columns, size, stage), floating: false };
}

/** Fraction of a landscape stage's width that the strip beside a large tile takes. */
const STRIP_WIDTH_FRACTION = 0.2;
const MAX_STRIP_WIDTH = 260;
/** Fraction of a portrait stage's height that the large tile takes at least. */
const LARGE_HEIGHT_FRACTION = 0.58;

/**
 * One large tile and the rest in a strip: beside it on a landscape stage, below it on a portrait
 * one. The first rect is the large tile's.
 */
export function arrangeAround(rest: number, stage: Stage): Arrangement {
  if (stage.width <= 0 || stage.height <= 0) return { tiles: [], height: 0, floating: false };
  const whole = { x: 0, y: 0, width: stage.width, height: stage.height };
  if (rest <= 0) return { tiles: [whole], height: stage.height, floating: false };
  return isPortrait(stage) ? stripBelow(rest, stage) : stripBeside(rest, stage);
}

function stripBelow(rest: number, stage: Stage): Arrangement {
  const columns = Math.max(2, Math.min(rest, 3));
  const width = Math.floor((stage.width - GAP * (columns - 1)) / columns);
  const rows = Math.ceil(rest / columns);
  const available = stage.height * (1 - LARGE_HEIGHT_FRACTION) - GAP * rows;
  const height = clamp(Math.floor(available / rows), Math.floor(width * (2 / 3)), width);
  const strip = inRows(rest, columns, { width, height }, { width: stage.width, height: 0 });
  const minHeight = Math.floor(stage.height * LARGE_HEIGHT_FRACTION);
  const large = Math.max(minHeight, stage.height - strip.height - GAP);
  const top = large + GAP;
  const tiles = strip.tiles.map((tile) => ({ ...tile, y: tile.y + top }));
  return {
    tiles: [{ x: 0, y: 0, width: stage.width, height: large }, ...tiles],
    height: Math.max(top + strip.height, stage.height),
    floating: false,
  };
}

function stripBeside(rest: number, stage: Stage): Arrangement {
  const strip = Math.floor(Math.min(MAX_STRIP_WIDTH, stage.width * STRIP_WIDTH_FRACTION));
  const large = { x: 0, y: 0, width: stage.width - strip - GAP, height: stage.height };
  const size = (columns: number): Stage => {
    const width = Math.floor((strip - GAP * (columns - 1)) / columns);
    return { width, height: Math.floor(width * (9 / 16)) };
  };
  const fits = (columns: number) =>
    Math.ceil(rest / columns) * (size(columns).height + GAP) - GAP <= stage.height;
  const columns = fits(1) ? 1 : 2;
  const rows = inRows(rest, columns, size(columns), { width: strip, height: stage.height });
  const left = stage.width - strip;
  const tiles = rows.tiles.map((tile) => ({ ...tile, x: tile.x + left }));
  return { tiles: [large, ...tiles], height: Math.max(rows.height, stage.height), floating: false };
}

/** Returns whether any part of a tile is visible at this scroll position. */
export function isVisible({ y, height }: Rect, scrolled: number, stage: Stage): boolean {
  return y < scrolled + stage.height && y + height > scrolled;
}

function isPhone({ width, height }: Stage): boolean {
  return Math.min(width, height) <= PHONE_MAX_SIDE;
}

function isPortrait({ width, height }: Stage): boolean {
  return height > width;
}

/** The other participant fills the stage; the user floats in its lower right corner. */
function pictureInPicture(stage: Stage): Arrangement {
  const portrait = isPortrait(stage);
  const width = Math.round(portrait ? stage.width * 0.3 : stage.height * 0.42);
  const height = Math.round(portrait ? width * (4 / 3) : width * (3 / 4));
  const other = { x: 0, y: 0, width: stage.width, height: stage.height };
  const self = {
    x: stage.width - width - GAP,
    y: stage.height - height - GAP,
    width,
    height,
  };
  return { tiles: [other, self], height: stage.height, floating: true };
}

/** Number of columns with which the tiles show the most of each camera's video. */
function bestColumns(count: number, stage: Stage): number {
  if (isPhone(stage) && isPortrait(stage)) return count <= PHONE_SINGLE_COLUMN_TILES ? 1 : 2;
  const maxColumns = Math.floor((stage.width + GAP) / (MIN_TILE_WIDTH + GAP));
  let best = 1;
  let bestScore = -1;
  for (let columns = 1; columns <= Math.min(count, maxColumns); columns++) {
    const score = visibleArea(count, columns, stage);
    if (score > bestScore) {
      best = columns;
      bestScore = score;
    }
  }
  return best;
}

/** Area of a tile, reduced by what cropping hides and slightly by every empty cell. */
function visibleArea(count: number, columns: number, stage: Stage): number {
  const size = tileSize(count, columns, stage);
  const rows = Math.ceil(count / columns);
  // If the stage has to scroll, more columns are better.
  if (rows * (size.height + GAP) - GAP > stage.height) return columns;
  const crop = Math.min(size.width / size.height / CAMERA_ASPECT, 1);
  return size.width * size.height * (0.8 + 0.2 * crop) * (0.92 + (0.08 * count) / (rows * columns));
}

/** Size of the largest tile, within its aspect limits, with which `count` fit in the columns. */
function tileSize(count: number, columns: number, stage: Stage): Stage {
  const rows = Math.ceil(count / columns);
  const cellWidth = (stage.width - GAP * (columns - 1)) / columns;
  const cellHeight = (stage.height - GAP * (rows - 1)) / rows;
  const { narrowest, widest } = isPortrait(stage) ? PORTRAIT_ASPECTS : LANDSCAPE_ASPECTS;
  const aspect = clamp(cellWidth / Math.max(cellHeight, 1), narrowest, widest);
  const fitting = Math.min(cellWidth, cellHeight * aspect);
  // The stage itself may be narrower than the minimum.
  const width = Math.max(fitting, Math.min(MIN_TILE_WIDTH, cellWidth));
  return { width: Math.floor(width), height: Math.floor(width / aspect) };
}

/** Rows filled from the top, the last one centred, the whole centred if it fits. */
function inRows(count: number, columns: number, size: Stage, stage: Stage) {
  const rows = Math.ceil(count / columns);
  const height = rows * size.height + (rows - 1) * GAP;
  const top = Math.max(0, Math.floor((stage.height - height) / 2));
  const tiles: Rect[] = [];
  for (let i = 0; i < count; i++) {
    const row = Math.floor(i / columns);
    const inRow = row < rows - 1 ? columns : count - columns * (rows - 1);
    const rowWidth = inRow * size.width + (inRow - 1) * GAP;
    const left = Math.max(0, Math.floor((stage.width - rowWidth) / 2));
    const column = i - row * columns;
    tiles.push({
      x: left + column * (size.width + GAP),
      y: top + row * (size.height + GAP),
      width: size.width,
      height: size.height,
    });
  }
  return { tiles, height };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
