/** The blurred background, without the person: nobody has a halo of their own colours. */
import { boxMean, GRID_CELLS, type Grid, newGrid } from "./grid.ts";
import type { Alpha } from "./mask.ts";

/** A frame on the grid. */
export interface GridPicture {
  readonly y: Grid;
  readonly u: Grid;
  readonly v: Grid;
}

export const newGridPicture = (): GridPicture => ({ y: newGrid(), u: newGrid(), v: newGrid() });

export interface Strength {
  readonly radius: number;
  readonly passes: number;
}

/** Two means come close to a Gaussian blur: of 22 pixels of a picture of 720 lines, and of 6. */
export const STRENGTHS = {
  strong: { radius: 5, passes: 2 },
  slight: { radius: 1, passes: 2 },
} as const satisfies Record<string, Strength>;

/** Weight of a cell full of the person: deep inside there is nothing else. */
const PERSON_WEIGHT = 0.01;

export class Blur {
  readonly #weight = newGrid();
  readonly #blurred = newGridPicture();

  /** Valid until the next call. */
  run(picture: GridPicture, alpha: Alpha, { radius, passes }: Strength): GridPicture {
    const weight = this.#weight;
    const { y, u, v } = this.#blurred;
    for (let i = 0; i < GRID_CELLS; i++) {
      const luma = picture.y[i] as number;
      const share = (alpha.slope[i] as number) * luma + (alpha.offset[i] as number);
      const background = share < 0 ? 1 : share > 1 ? 0 : 1 - share;
      const w = background > PERSON_WEIGHT ? background : PERSON_WEIGHT;
      weight[i] = w;
      y[i] = luma * w;
      u[i] = (picture.u[i] as number) * w;
      v[i] = (picture.v[i] as number) * w;
    }
    for (let pass = 0; pass < passes; pass++) {
      for (const grid of [weight, y, u, v]) boxMean(grid, radius);
    }
    for (let i = 0; i < GRID_CELLS; i++) {
      const scale = 1 / (weight[i] as number);
      y[i] = (y[i] as number) * scale;
      u[i] = (u[i] as number) * scale;
      v[i] = (v[i] as number) * scale;
    }
    return this.#blurred;
  }
}
