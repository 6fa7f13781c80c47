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

/** Corner of the stage in which one's own tile floats. */
export type Corner = "bottomEnd" | "bottomStart" | "topEnd" | "topStart";

export const CORNERS: readonly Corner[] = ["bottomEnd", "bottomStart", "topEnd", "topStart"];

/** Space between tiles. */
export const GAP = 10;

/** Usual aspect ratio of camera video. */
const CAMERA_ASPECT = 16 / 9;
/** Aspect ratios of tiles. Portrait stages allow narrower ones, as phones send portrait video. */
const LANDSCAPE_ASPECTS = { narrowest: 4 / 3, widest: 16 / 9 };
const PORTRAIT_ASPECTS = { narrowest: 2 / 3, widest: 16 / 9 };
/** Widest desktop's stage that one participant fills: cropping would hide too much of it. */
const WIDEST_FILL = 2.2;
/** Minimum width of a tile (px). The stage scrolls rather than going below it. */
const MIN_TILE_WIDTH = 132;
/** Shorter side (px) up to which a stage counts as a phone's. */
const PHONE_MAX_SIDE = 520;
/** Number of tiles that a phone in portrait shows in one column; more use two. */
const PHONE_SINGLE_COLUMN_TILES = 3;

export interface ArrangeOptions {
  /** Of two tiles the last one, the user's, floats over the other. */
  mayFloat?: boolean;
  corner?: Corner;
  /** A single tile fills the stage. */
  fills?: boolean;
}

/** Grid, in reading order. */
export function arrange(
  count: number,
  stage: Stage,
  { mayFloat = true, corner = "bottomEnd", fills = false }: ArrangeOptions = {},
): Arrangement {
  if (count <= 0 || stage.width <= 0 || stage.height <= 0) {
    return { tiles: [], height: 0, floating: false };
  }
  if (mayFloat && count === 2) return pictureInPicture(stage, corner);
  if (fills && count === 1) {
    return { tiles: [filling(stage)], height: stage.height, floating: false };
  }
  const columns = bestColumns(count, stage);
  const size = tileSize(count, columns, stage);
  return { ...inRows(count, columns, size, stage), floating: false };
}

/** Largest fraction of a landscape stage's width that the strip beside a large tile takes. */
const MAX_STRIP_FRACTION = 0.34;
/** Largest and least width of a tile in that strip (px). */
const MAX_STRIP_TILE = 260;
const MIN_STRIP_TILE = 140;
/** The same as a fraction, for one column: a large tile is for looking at. */
const STRIP_TILE_FRACTION = 0.24;
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
  const fitting = Math.floor((stage.width + GAP) / (MIN_STRIP_TILE + GAP));
  const columns = clamp(Math.min(rest, fitting), 2, 3);
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

/**
 * As many columns as the tiles need to be worth looking at, up to a third of the stage. What does
 * not fit is below: the strip scrolls beside the large tile.
 */
function stripBeside(rest: number, stage: Stage): Arrangement {
  const columns = stripColumns(rest, stage);
  const width = Math.max(stripTileWidth(rest, columns, stage), minStripTile(columns, stage));
  const tile = { width, height: Math.floor(width * (9 / 16)) };
  const strip = columns * width + GAP * (columns - 1);
  const rows = inRows(rest, columns, tile, { width: strip, height: stage.height });
  const left = stage.width - strip;
  const tiles = rows.tiles.map(({ x, y, ...size }, i) => ({
    // A short last row starts where the others do.
    x: left + (rows.height > stage.height ? (i % columns) * (width + GAP) : x),
    y,
    ...size,
  }));
  const large = { x: 0, y: 0, width: left - GAP, height: stage.height };
  return { tiles: [large, ...tiles], height: Math.max(rows.height, stage.height), floating: false };
}

function stripColumns(rest: number, stage: Stage): number {
  const isWideEnough = (columns: number) =>
    columns * MIN_STRIP_TILE + GAP * (columns - 1) <= stage.width * MAX_STRIP_FRACTION;
  if (!isWideEnough(2) || stripTileWidth(rest, 1, stage) >= MIN_STRIP_TILE) return 1;
  return 2;
}

/** Width with which all tiles of the strip fit the height of the stage. */
function stripTileWidth(rest: number, columns: number, stage: Stage): number {
  const rows = Math.ceil(rest / columns);
  const height = (stage.height - GAP * (rows - 1)) / rows;
  const fraction = columns === 1 ? STRIP_TILE_FRACTION : MAX_STRIP_FRACTION;
  const share = (stage.width * fraction - GAP * (columns - 1)) / columns;
  return Math.floor(Math.min(MAX_STRIP_TILE, share, height * (16 / 9)));
}

function minStripTile(columns: number, stage: Stage): number {
  const share = (stage.width * MAX_STRIP_FRACTION - GAP * (columns - 1)) / columns;
  return Math.floor(Math.min(MIN_STRIP_TILE, share));
}

/** The two halves of a stage, for layouts that show a large tile and a grid side by side. */
export function halves(stage: Stage): [large: Rect, rest: Rect] {
  const { width, height } = stage;
  if (isPortrait(stage)) {
    const half = Math.floor((height - GAP) / 2);
    return [
      { x: 0, y: 0, width, height: half },
      { x: 0, y: half + GAP, width, height: half },
    ];
  }
  const half = Math.floor((width - GAP) / 2);
  return [
    { x: 0, y: 0, width: half, height },
    { x: half + GAP, y: 0, width: half, height },
  ];
}

/** Returns whether any part of a tile is visible at this scroll position. */
export function isVisible({ x, y, width, height }: Rect, scrolled: number, stage: Stage): boolean {
  const isInColumn = y < scrolled + stage.height && y + height > scrolled;
  return isInColumn && x < stage.width && x + width > 0;
}

/** Largest number of tiles on one page of a grid: more are too many faces to look at. */
const MAX_PAGE_TILES = 25;
/** Least size of a tile on a page (px); on upright phones, whose tiles are nearly square. */
const PAGE_TILE = { width: 150, height: 92 };
const PHONE_PAGE_TILE = { width: 120, height: 130 };
/** The same above a phone's panel, where two rows are worth more than their size. */
const LOW_PAGE_TILE = { width: 120, height: 66 };
/** Height (px) up to which the stage of a phone counts as above a panel. */
const LOW_PHONE_STAGE = 200;

/** Number of tiles that one page of a grid shows at a size worth looking at; at least two. */
export function pageCapacity(stage: Stage): number {
  const least = leastPageTile(stage);
  for (let count = MAX_PAGE_TILES; count > 2; count--) {
    const { tiles, height } = arrange(count, stage, { mayFloat: false });
    const [tile] = tiles;
    if (!tile || height > stage.height) continue;
    if (tile.width >= least.width && tile.height >= least.height) return count;
  }
  return 2;
}

function leastPageTile(stage: Stage): Stage {
  if (isAbovePanel(stage)) return LOW_PAGE_TILE;
  return isPhone(stage) && isPortrait(stage) ? PHONE_PAGE_TILE : PAGE_TILE;
}

/** Returns whether a stage is that of an upright phone whose panel is open. */
export function isAbovePanel({ width, height }: Stage): boolean {
  return width <= PHONE_MAX_SIDE && height <= LOW_PHONE_STAGE;
}

function isPhone({ width, height }: Stage): boolean {
  return Math.min(width, height) <= PHONE_MAX_SIDE;
}

function isPortrait({ width, height }: Stage): boolean {
  return height > width;
}

/** The other participant fills the stage; the user floats in a corner. */
function pictureInPicture(stage: Stage, corner: Corner): Arrangement {
  const other = filling(stage);
  const self = floatingRect(stage, corner);
  return { tiles: [other, self], height: stage.height, floating: true };
}

/** Place of the floating tile. Above several tiles it is smaller than above one. */
export function floatingRect(stage: Stage, corner: Corner, isAboveMany = false): Rect {
  const { width, height } = floatingSize(stage);
  const scale = isAboveMany ? 0.75 : 1;
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  return inCorner(size, corner, stage);
}

/** Width (px) of a tile's lower edge that the floating tile covers, for its name to end before. */
export function coveredWidth(tile: Rect, floating: Rect): number {
  const bottom = tile.y + tile.height;
  const isAtName = floating.y < bottom && floating.y + floating.height > bottom - BADGE_HEIGHT;
  if (!isAtName || floating.x <= tile.x) return 0;
  return Math.max(0, tile.x + tile.width - floating.x);
}

function floatingSize(stage: Stage): Stage {
  if (!isPhone(stage)) {
    const width = Math.round(clamp(stage.width * 0.22, 200, 320));
    return { width, height: Math.round(width * (9 / 16)) };
  }
  const portrait = isPortrait(stage);
  const width = Math.round(portrait ? stage.width * 0.3 : stage.height * 0.42);
  return { width, height: Math.round(portrait ? width * (4 / 3) : width * (3 / 4)) };
}

/** Height of a name at the lower start of a tile, which a tile in that corner would cover. */
const BADGE_HEIGHT = 44;

function inCorner({ width, height }: Stage, corner: Corner, stage: Stage): Rect {
  const x = corner.endsWith("End") ? stage.width - width - GAP : GAP;
  const bottom = stage.height - height - GAP - (corner === "bottomStart" ? BADGE_HEIGHT : 0);
  const y = corner.startsWith("bottom") ? bottom : GAP;
  return { x, y, width, height };
}

/** The corner nearest to the centre of a floating tile. */
export function nearestCorner({ x, y, width, height }: Rect, stage: Stage): Corner {
  const side = x + width / 2 > stage.width / 2 ? "End" : "Start";
  return `${y + height / 2 > stage.height / 2 ? "bottom" : "top"}${side}`;
}

/** The corner beside this one in the direction of an arrow key; the same at an edge. */
export function cornerTowards(corner: Corner, key: string): Corner {
  const side = corner.endsWith("End") ? "End" : "Start";
  const edge = corner.startsWith("bottom") ? "bottom" : "top";
  switch (key) {
    case "ArrowLeft":
      return `${edge}Start`;
    case "ArrowRight":
      return `${edge}End`;
    case "ArrowUp":
      return `top${side}`;
    case "ArrowDown":
      return `bottom${side}`;
    default:
      return corner;
  }
}

function filling(stage: Stage): Rect {
  const widest = isPhone(stage) ? stage.width : Math.floor(stage.height * WIDEST_FILL);
  const width = Math.min(stage.width, widest);
  return { x: Math.floor((stage.width - width) / 2), y: 0, width, height: stage.height };
}

/** Number of columns with which the tiles show the most of each camera's video. */
function bestColumns(count: number, stage: Stage): number {
  if (isPhone(stage) && isPortrait(stage)) return count <= PHONE_SINGLE_COLUMN_TILES ? 1 : 2;
  // Two fit beside each other on any screen, as above the panel of a phone.
  const maxColumns = Math.max(2, Math.floor((stage.width + GAP) / (MIN_TILE_WIDTH + GAP)));
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
  // A stage that scrolls anyway leaves nothing free at the sides. A single row never scrolls.
  const width = fitting < MIN_TILE_WIDTH && rows > 1 ? cellWidth : fitting;
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
