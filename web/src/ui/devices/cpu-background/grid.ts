/**
 * The raster of the model, which is that of everything computed between frame and frame: masks and
 * blurred backgrounds. A frame of any shape is stretched onto it.
 */
export const GRID_WIDTH = 256;
export const GRID_HEIGHT = 144;
export const GRID_CELLS = GRID_WIDTH * GRID_HEIGHT;

export type Grid = Float32Array<ArrayBuffer>;

export const newGrid = (): Grid => new Float32Array(GRID_CELLS);

/** Cells of so many rows are sampled in every other one. */
const MANY_ROWS = 4;

/** Means of a plane's pixels in each cell. */
export function sample(plane: Uint8Array, width: number, height: number, grid: Grid): void {
  const sums = new Int32Array(width);
  const lefts = new Int32Array(GRID_WIDTH + 1);
  for (let column = 0; column <= GRID_WIDTH; column++) {
    lefts[column] = Math.floor((column * width) / GRID_WIDTH);
  }
  for (let row = 0; row < GRID_HEIGHT; row++) {
    const top = Math.floor((row * height) / GRID_HEIGHT);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / GRID_HEIGHT));
    const step = bottom - top >= MANY_ROWS ? 2 : 1;
    const rows = Math.ceil((bottom - top) / step);
    sums.fill(0);
    for (let y = top; y < bottom; y += step) {
      const start = y * width;
      for (let x = 0; x < width; x++) {
        sums[x] = (sums[x] as number) + (plane[start + x] as number);
      }
    }
    for (let column = 0; column < GRID_WIDTH; column++) {
      const left = lefts[column] as number;
      const right = Math.max(left + 1, lefts[column + 1] as number);
      let sum = 0;
      for (let x = left; x < right; x++) sum += sums[x] as number;
      grid[row * GRID_WIDTH + column] = sum / (rows * (right - left));
    }
  }
}

const scratch = newGrid();
const columns = new Float64Array(GRID_WIDTH);

/** Replaces each cell by the mean of the cells up to `radius` away; the border goes on beyond it. */
export function boxMean(grid: Grid, radius: number): void {
  const scale = 1 / (2 * radius + 1);
  const right = GRID_WIDTH - 1;
  for (let start = 0; start < GRID_CELLS; start += GRID_WIDTH) {
    // Of the window one cell left of the first.
    let sum = (radius + 1) * (grid[start] as number);
    for (let x = 0; x < radius; x++) sum += grid[start + x] as number;
    for (let x = 0; x <= right; x++) {
      const joins = start + (x + radius > right ? right : x + radius);
      const leaves = start + (x > radius ? x - 1 - radius : 0);
      sum += (grid[joins] as number) - (grid[leaves] as number);
      scratch[start + x] = sum * scale;
    }
  }
  // The same downwards, for all columns at once.
  const bottom = GRID_HEIGHT - 1;
  for (let x = 0; x < GRID_WIDTH; x++) {
    let sum = (radius + 1) * (scratch[x] as number);
    for (let y = 0; y < radius; y++) sum += scratch[y * GRID_WIDTH + x] as number;
    columns[x] = sum;
  }
  for (let y = 0; y <= bottom; y++) {
    const joins = (y + radius > bottom ? bottom : y + radius) * GRID_WIDTH;
    const leaves = (y > radius ? y - 1 - radius : 0) * GRID_WIDTH;
    const start = y * GRID_WIDTH;
    for (let x = 0; x < GRID_WIDTH; x++) {
      const sum =
        (columns[x] as number) + (scratch[joins + x] as number) - (scratch[leaves + x] as number);
      columns[x] = sum;
      grid[start + x] = sum * scale;
    }
  }
}
