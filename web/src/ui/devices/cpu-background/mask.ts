/**
 * From the model's rough guess to an edge that follows the picture. A guided filter (He, Sun and Tang)
 * describes the mask around each cell as a linear function of brightness, which is then applied to the
 * pixels themselves: hair and shoulders keep the edges that they have in the picture.
 */
import { boxMean, GRID_CELLS, type Grid, newGrid } from "./grid.ts";

/** Share of the person in a pixel: `slope` × brightness (0 to 255) + `offset`. */
export interface Alpha {
  readonly slope: Grid;
  readonly offset: Grid;
}

/** Guesses of the model below and above which a cell is taken for background and person. */
const BACKGROUND = 0.2;
const PERSON = 0.8;
/** Weight of a new guess: a single one flickers. */
const NEWEST = 0.75;
/** Cells around, in which the mask is a function of brightness. */
const RADIUS = 3;
/** Variance of brightness (of 0 to 1) below which it tells nothing of the edge. */
const SMOOTHNESS = 0.003;
/** A share this close to nothing or all is just that; such pixels cost nothing. */
const TOLERANCE = 0.02;

export class MaskRefiner {
  /** The share of the person in each cell, over time. */
  readonly #mask = newGrid();
  #hasMask = false;
  readonly #alpha: Alpha = { slope: newGrid(), offset: newGrid() };
  readonly #brightness = newGrid();
  readonly #maskMean = newGrid();
  readonly #product = newGrid();
  readonly #square = newGrid();

  /** Takes the model's probabilities. */
  update(guess: ArrayLike<number>): void {
    const weight = this.#hasMask ? NEWEST : 1;
    for (let i = 0; i < GRID_CELLS; i++) {
      const before = this.#mask[i] as number;
      const now = smoothStep(((guess[i] as number) - BACKGROUND) / (PERSON - BACKGROUND));
      const mixed = before + weight * (now - before);
      this.#mask[i] = mixed < TOLERANCE ? 0 : mixed > 1 - TOLERANCE ? 1 : mixed;
    }
    this.#hasMask = true;
  }

  /** The mask for a frame of this brightness. Valid until the next call. */
  refine(luma: Grid): Alpha {
    const brightness = this.#brightness;
    const mask = this.#maskMean;
    const product = this.#product;
    const square = this.#square;
    mask.set(this.#mask);
    for (let i = 0; i < GRID_CELLS; i++) {
      const value = (luma[i] as number) / 255;
      brightness[i] = value;
      product[i] = value * (mask[i] as number);
      square[i] = value * value;
    }
    for (const grid of [brightness, mask, product, square]) boxMean(grid, RADIUS);
    const { slope, offset } = this.#alpha;
    for (let i = 0; i < GRID_CELLS; i++) {
      const mean = brightness[i] as number;
      const share = mask[i] as number;
      const variance = (square[i] as number) - mean * mean;
      const along = ((product[i] as number) - mean * share) / (variance + SMOOTHNESS);
      slope[i] = along / 255;
      offset[i] = share - along * mean;
    }
    boxMean(slope, RADIUS);
    boxMean(offset, RADIUS);
    for (let i = 0; i < GRID_CELLS; i++) {
      if (Math.abs(slope[i] as number) * 255 > TOLERANCE) continue;
      const share = offset[i] as number;
      if (share > TOLERANCE && share < 1 - TOLERANCE) continue;
      slope[i] = 0;
      offset[i] = share > 0.5 ? 1 : 0;
    }
    return this.#alpha;
  }
}

function smoothStep(value: number): number {
  const x = value < 0 ? 0 : value > 1 ? 1 : value;
  return x * x * (3 - 2 * x);
}
