/** Puts a background behind the person, in the frame's own planes. */
import type { GridPicture } from "./blur.ts";
import { GRID_HEIGHT, GRID_WIDTH, type Grid } from "./grid.ts";
import { chroma, type I420 } from "./i420.ts";
import type { Alpha } from "./mask.ts";

/** Replaces everything but the person by a picture of the frame's size, or by a blurred one. */
export function compose(frame: I420, alpha: Alpha, background: I420 | GridPicture): void {
  const { width, height } = frame;
  const luma = { plane: frame.y, width, height };
  // Colours first: the mask follows the frame's brightness, which is overwritten at last.
  const half = { width: chroma(width), height: chroma(height) };
  blend({ plane: frame.u, ...half }, luma, 2, alpha, background.u);
  blend({ plane: frame.v, ...half }, luma, 2, alpha, background.v);
  blend(luma, luma, 1, alpha, background.y);
}

interface Plane {
  readonly plane: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** `step` pixels of the guide are one of the target, in both directions. */
function blend(
  target: Plane,
  guide: Plane,
  step: number,
  alpha: Alpha,
  background: Uint8Array | Grid,
): void {
  const { plane, width, height } = target;
  const spans = new Spans(alpha, width);
  const slope = new Rows(alpha.slope, width);
  const offset = new Rows(alpha.offset, width);
  const blurred = background instanceof Float32Array ? new Rows(background, width) : null;
  const picture = background as Uint8Array;
  for (let row = 0; row < height; row++) {
    const position = ((row + 0.5) * GRID_HEIGHT) / height - 0.5;
    const above = Math.floor(position);
    const t = position - above;
    spans.move(above);
    if (spans.count === 0) continue;
    blurred?.move(above);
    const start = row * width;
    const guideStart = Math.min(row * step, guide.height - 1) * guide.width;
    for (let i = 0; i < spans.count; i++) {
      const from = spans.from[i] as number;
      const to = spans.to[i] as number;
      if (spans.isMixed[i] === 0) {
        if (blurred) mix(plane, start, from, to, blurred, t);
        else for (let x = from; x < to; x++) plane[start + x] = picture[start + x] as number;
        continue;
      }
      slope.move(above);
      offset.move(above);
      for (let x = from; x < to; x++) {
        const bright = guide.plane[guideStart + x * step] as number;
        const share = slope.at(x, t) * bright + offset.at(x, t);
        if (share >= 1) continue;
        const behind = blurred ? blurred.at(x, t) + 0.5 : (picture[start + x] as number);
        const own = plane[start + x] as number;
        plane[start + x] = share <= 0 ? behind : behind + (own - behind) * share;
      }
    }
  }
}

/** Pixels between two rows of a grid. */
function mix(
  plane: Uint8Array,
  start: number,
  from: number,
  to: number,
  { top, bottom }: Rows,
  t: number,
): void {
  for (let x = from; x < to; x++) {
    const value = top[x] as number;
    plane[start + x] = value + ((bottom[x] as number) - value) * t + 0.5;
  }
}

/** Two neighbouring rows of a grid, stretched to the width of a plane. */
class Rows {
  top: Float32Array;
  bottom: Float32Array;
  readonly #grid: Grid;
  readonly #columns: Columns;
  #above = Number.NaN;

  constructor(grid: Grid, width: number) {
    this.#grid = grid;
    this.#columns = columnsOf(width);
    this.top = new Float32Array(width);
    this.bottom = new Float32Array(width);
  }

  /** Goes on to the rows `above` and the next; the first and the last go on beyond the border. */
  move(above: number): void {
    if (above === this.#above) return;
    const last = this.top;
    this.top = this.bottom;
    this.bottom = last;
    if (above !== this.#above + 1) this.#stretch(above, this.top);
    this.#stretch(above + 1, this.bottom);
    this.#above = above;
  }

  at(x: number, t: number): number {
    const value = this.top[x] as number;
    return value + ((this.bottom[x] as number) - value) * t;
  }

  #stretch(row: number, into: Float32Array): void {
    const start = Math.min(Math.max(row, 0), GRID_HEIGHT - 1) * GRID_WIDTH;
    const { starts, perPixel } = this.#columns;
    const grid = this.#grid;
    for (let cell = -1; cell < GRID_WIDTH; cell++) {
      const from = starts[cell + 1] as number;
      const to = starts[cell + 2] as number;
      const left = grid[start + (cell < 0 ? 0 : cell)] as number;
      const right = grid[start + (cell + 1 < GRID_WIDTH ? cell + 1 : cell)] as number;
      const change = (right - left) * perPixel;
      let value = left + change * (from + 0.5 - (cell + 0.5) / perPixel);
      for (let x = from; x < to; x++) {
        into[x] = value;
        value += change;
      }
    }
  }
}

/**
 * Pixels between two rows of the mask that are not the person alone, as mostly a pixel is all person,
 * which stays as it is, or all background.
 */
class Spans {
  count = 0;
  readonly from = new Int32Array(GRID_WIDTH + 1);
  readonly to = new Int32Array(GRID_WIDTH + 1);
  readonly isMixed = new Uint8Array(GRID_WIDTH + 1);
  readonly #alpha: Alpha;
  readonly #columns: Columns;
  #above = Number.NaN;

  constructor(alpha: Alpha, width: number) {
    this.#alpha = alpha;
    this.#columns = columnsOf(width);
  }

  move(above: number): void {
    if (above === this.#above) return;
    this.#above = above;
    const { slope, offset } = this.#alpha;
    const { starts } = this.#columns;
    const upper = Math.max(above, 0) * GRID_WIDTH;
    const lower = Math.min(above + 1, GRID_HEIGHT - 1) * GRID_WIDTH;
    let count = 0;
    let before = PERSON;
    for (let cell = -1; cell < GRID_WIDTH; cell++) {
      const left = cell < 0 ? 0 : cell;
      const right = cell + 1 < GRID_WIDTH ? cell + 1 : cell;
      let kind = MIXED;
      const share = offset[upper + left] as number;
      if (
        (share === 0 || share === 1) &&
        offset[upper + right] === share &&
        offset[lower + left] === share &&
        offset[lower + right] === share &&
        slope[upper + left] === 0 &&
        slope[upper + right] === 0 &&
        slope[lower + left] === 0 &&
        slope[lower + right] === 0
      ) {
        kind = share === 1 ? PERSON : BACKGROUND;
      }
      if (kind !== PERSON) {
        if (kind !== before) {
          this.from[count] = starts[cell + 1] as number;
          this.isMixed[count] = kind === MIXED ? 1 : 0;
          count++;
        }
        this.to[count - 1] = starts[cell + 2] as number;
      }
      before = kind;
    }
    this.count = count;
  }
}

const PERSON = 0;
const BACKGROUND = 1;
const MIXED = 2;

interface Columns {
  /** The first pixel behind the middle of each cell, beginning left of the first cell. */
  readonly starts: Int32Array;
  /** Cells in a pixel. */
  readonly perPixel: number;
}

const columns = new Map<number, Columns>();
/** Sizes of planes remembered; a camera has two at a time. */
const MAX_SIZES = 8;

function columnsOf(width: number): Columns {
  const known = columns.get(width);
  if (known) return known;
  if (columns.size >= MAX_SIZES) columns.clear();
  const perPixel = GRID_WIDTH / width;
  const starts = new Int32Array(GRID_WIDTH + 2);
  for (let cell = 0; cell < GRID_WIDTH; cell++) {
    starts[cell + 1] = Math.min(width, Math.ceil((cell + 0.5) / perPixel - 0.5));
  }
  starts[GRID_WIDTH + 1] = width;
  const made = { starts, perPixel };
  columns.set(width, made);
  return made;
}
