/** Where the tiles of a call go: the largest tiles that fit, decided without a browser. */

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
  /** One for each tile, in order, within the stage (below it where `height` exceeds it). */
  tiles: Rect[];
  /** How high the content is; more than the stage's height means it scrolls. */
  height: number;
  /** The last tile lies over the others instead of beside them. */
  floating: boolean;
}

/** Space between tiles. */
export const GAP = 10;

/** What cameras send. */
const CAMERA_ASPECT = 16 / 9;
/** How far a tile may be cropped; upright stages crop more, as phones send upright pictures. */
const LANDSCAPE_ASPECTS = { narrowest: 4 / 3, widest: 16 / 9 };
const UPRIGHT_ASPECTS = { narrowest: 2 / 3, widest: 16 / 9 };
/** A tile narrower than this shows nobody: then the stage scrolls. */
const NARROWEST_TILE = 132;
/** A stage this small in its shorter side is a phone's. */
const PHONE_SIDE = 520;
/** An upright phone stacks so many in one column, and more in two. */
const PHONE_STACK = 3;

/** Tiles in reading order; with two people on a phone the last one (oneself) floats, if it may. */
export function arrange(count: number, stage: Stage, { mayFloat = true } = {}): Arrangement {
  if (count <= 0 || stage.width <= 0 || stage.height <= 0) {
    return { tiles: [], height: 0, floating: false };
  }
  if (mayFloat && count === 2 && isPhone(stage)) return duo(stage);
  const columns = bestColumns(count, stage);
  const size = tileSize(count, columns, stage);
  return { ...inRows(count, columns, size, stage), floating: false };
}

/** How much of the stage the tiles beside a large one get, and how wide they are at most. */
const STRIP_SHARE = 0.2;
const WIDEST_STRIP = 260;
const UPRIGHT_SHARE = 0.58;

/**
 * One tile large, the rest in a strip: at its side on a stage that lies, below it on one that
 * stands. The first rect is the large one's.
 */
export function arrangeAround(rest: number, stage: Stage): Arrangement {
  if (stage.width <= 0 || stage.height <= 0) return { tiles: [], height: 0, floating: false };
  const whole = { x: 0, y: 0, width: stage.width, height: stage.height };
  if (rest <= 0) return { tiles: [whole], height: stage.height, floating: false };
  return isUpright(stage) ? above(rest, stage) : beside(rest, stage);
}

function above(rest: number, stage: Stage): Arrangement {
  const columns = Math.max(2, Math.min(rest, 3));
  const width = Math.floor((stage.width - GAP * (columns - 1)) / columns);
  const rows = Math.ceil(rest / columns);
  const room = stage.height * (1 - UPRIGHT_SHARE) - GAP * rows;
  const height = clamp(Math.floor(room / rows), Math.floor(width * (2 / 3)), width);
  const strip = inRows(rest, columns, { width, height }, { width: stage.width, height: 0 });
  const least = Math.floor(stage.height * UPRIGHT_SHARE);
  const large = Math.max(least, stage.height - strip.height - GAP);
  const top = large + GAP;
  const tiles = strip.tiles.map((tile) => ({ ...tile, y: tile.y + top }));
  return {
    tiles: [{ x: 0, y: 0, width: stage.width, height: large }, ...tiles],
    height: Math.max(top + strip.height, stage.height),
    floating: false,
  };
}

function beside(rest: number, stage: Stage): Arrangement {
  const strip = Math.floor(Math.min(WIDEST_STRIP, stage.width * STRIP_SHARE));
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

/** Whether any of a tile is within the stage as it is scrolled. */
export function isInSight({ y, height }: Rect, scrolled: number, stage: Stage): boolean {
  return y < scrolled + stage.height && y + height > scrolled;
}

function isPhone({ width, height }: Stage): boolean {
  return Math.min(width, height) <= PHONE_SIDE;
}

function isUpright({ width, height }: Stage): boolean {
  return height > width;
}

/** The other fills the stage, oneself is a small tile in its lower right corner. */
function duo(stage: Stage): Arrangement {
  const upright = isUpright(stage);
  const width = Math.round(upright ? stage.width * 0.3 : stage.height * 0.42);
  const height = Math.round(upright ? width * (4 / 3) : width * (3 / 4));
  const other = { x: 0, y: 0, width: stage.width, height: stage.height };
  const self = {
    x: stage.width - width - GAP,
    y: stage.height - height - GAP,
    width,
    height,
  };
  return { tiles: [other, self], height: stage.height, floating: true };
}

/** The number of columns whose tiles show most of a camera's picture. */
function bestColumns(count: number, stage: Stage): number {
  if (isPhone(stage) && isUpright(stage)) return count <= PHONE_STACK ? 1 : 2;
  const most = Math.floor((stage.width + GAP) / (NARROWEST_TILE + GAP));
  let best = 1;
  let bestScore = -1;
  for (let columns = 1; columns <= Math.min(count, most); columns++) {
    const score = shown(count, columns, stage);
    if (score > bestScore) {
      best = columns;
      bestScore = score;
    }
  }
  return best;
}

/** A tile's area, less for what cropping hides, a little less for every empty place. */
function shown(count: number, columns: number, stage: Stage): number {
  const size = tileSize(count, columns, stage);
  const rows = Math.ceil(count / columns);
  // Where it has to scroll, the more in a row the better.
  if (rows * (size.height + GAP) - GAP > stage.height) return columns;
  const crop = Math.min(size.width / size.height / CAMERA_ASPECT, 1);
  return size.width * size.height * (0.8 + 0.2 * crop) * (0.92 + (0.08 * count) / (rows * columns));
}

/** The largest tile, within its aspect limits, of which `count` fit in so many columns. */
function tileSize(count: number, columns: number, stage: Stage): Stage {
  const rows = Math.ceil(count / columns);
  const cellWidth = (stage.width - GAP * (columns - 1)) / columns;
  const cellHeight = (stage.height - GAP * (rows - 1)) / rows;
  const { narrowest, widest } = isUpright(stage) ? UPRIGHT_ASPECTS : LANDSCAPE_ASPECTS;
  const aspect = clamp(cellWidth / Math.max(cellHeight, 1), narrowest, widest);
  const fitting = Math.min(cellWidth, cellHeight * aspect);
  // A stage may itself be narrower than the smallest tile.
  const width = Math.max(fitting, Math.min(NARROWEST_TILE, cellWidth));
  return { width: Math.floor(width), height: Math.floor(width / aspect) };
}

/** Rows filled from the top, the last one centred, the whole centred where it fits. */
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

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
