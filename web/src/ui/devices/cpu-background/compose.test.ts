import { expect, test } from "vitest";
import { Blur, newGridPicture, STRENGTHS } from "./blur.ts";
import { compose } from "./compose.ts";
import { GRID_CELLS, GRID_HEIGHT, GRID_WIDTH, newGrid, sample } from "./grid.ts";
import { chroma, type I420, newI420 } from "./i420.ts";
import { MaskRefiner } from "./mask.ts";

type Pixel = (x: number, y: number) => number;

function frameOf(width: number, height: number, luma: Pixel): I420 {
  const frame = newI420(width, height);
  for (let i = 0; i < frame.y.length; i++) frame.y[i] = luma(i % width, Math.floor(i / width));
  frame.u.fill(100);
  frame.v.fill(150);
  return frame;
}

/** A model's guess for each cell, with coordinates from 0 to 1. */
function guessOf(isPerson: (x: number, y: number) => boolean): Float32Array {
  const guess = newGrid();
  for (let i = 0; i < GRID_CELLS; i++) {
    const x = ((i % GRID_WIDTH) + 0.5) / GRID_WIDTH;
    guess[i] = isPerson(x, (Math.floor(i / GRID_WIDTH) + 0.5) / GRID_HEIGHT) ? 0.97 : 0.03;
  }
  return guess;
}

function gridOf(frame: I420) {
  const grid = newGridPicture();
  const { width, height } = frame;
  sample(frame.y, width, height, grid.y);
  sample(frame.u, chroma(width), chroma(height), grid.u);
  sample(frame.v, chroma(width), chroma(height), grid.v);
  return grid;
}

function blurred(frame: I420, guess: Float32Array): I420 {
  const refiner = new MaskRefiner();
  refiner.update(guess);
  const grid = gridOf(frame);
  const alpha = refiner.refine(grid.y);
  compose(frame, alpha, new Blur().run(grid, alpha, STRENGTHS.strong));
  return frame;
}

const stripes: Pixel = (x) => (Math.floor(x / 10) % 2 === 0 ? 30 : 220);
const row = (frame: I420, y: number, from: number, to: number) =>
  frame.y.subarray(y * frame.width + from, y * frame.width + to);
const contrast = (pixels: Uint8Array) => Math.max(...pixels) - Math.min(...pixels);

test("a picture full of a person stays as it is, at any size", () => {
  for (const [width, height] of [
    [1280, 720],
    [640, 480],
    [361, 641],
    [160, 90],
  ] as const) {
    const before = frameOf(width, height, stripes);
    const after = blurred(
      frameOf(width, height, stripes),
      guessOf(() => true),
    );
    expect(after.data.every((value, i) => value === before.data[i])).toBe(true);
  }
});

test("a picture without a person is blurred to its last row and column", () => {
  const frame = blurred(
    frameOf(1280, 720, stripes),
    guessOf(() => false),
  );
  for (const y of [0, 1, 360, 719]) {
    expect(contrast(row(frame, y, 60, 1220))).toBeLessThan(15);
    // The outermost stripe goes on beyond the border, so about half of its contrast stays.
    expect(contrast(row(frame, y, 0, 1280))).toBeLessThan(100);
  }
  const small = blurred(
    frameOf(362, 642, stripes),
    guessOf(() => false),
  );
  for (const y of [0, 641]) expect(contrast(row(small, y, 20, 342))).toBeLessThan(120);
});

test("the edge is the picture's, not that of the coarse guess", () => {
  // A dark person left of x = 603 before a bright wall; the guess is three cells (15 pixels) off.
  const edge = 603;
  const frame = blurred(
    frameOf(1280, 720, (x) => (x < edge ? 40 : 200)),
    guessOf((x) => x < (edge + 15) / 1280),
  );
  for (let y = 100; y < 620; y += 40) {
    expect(contrast(row(frame, y, 0, edge - 3))).toBeLessThan(20);
    expect(contrast(row(frame, y, edge + 3, 1280))).toBeLessThan(20);
  }
});

test("a person has no halo of their own brightness", () => {
  // Bright, before a wall with dark stripes whose mean is 60.
  const frame = blurred(
    frameOf(1280, 720, (x) => (x < 600 ? 230 : Math.floor(x / 8) % 2 === 0 ? 50 : 70)),
    guessOf((x) => x < 600 / 1280),
  );
  expect(Math.max(...row(frame, 360, 606, 1280))).toBeLessThan(75);
});

test("a picture takes the place of the background, in all planes", () => {
  const frame = frameOf(640, 360, stripes);
  const picture = newI420(640, 360);
  picture.y.fill(180);
  picture.u.fill(90);
  picture.v.fill(200);
  const refiner = new MaskRefiner();
  refiner.update(guessOf((x) => x < 0.5));
  const before = frame.data.slice();
  compose(frame, refiner.refine(gridOf(frame).y), picture);
  expect(row(frame, 100, 0, 280)).toEqual(before.subarray(100 * 640, 100 * 640 + 280));
  expect(contrast(row(frame, 100, 360, 640))).toBe(0);
  expect(frame.y[100 * 640 + 500]).toBe(180);
  expect([frame.u[50 * 320 + 10], frame.v[50 * 320 + 10]]).toEqual([100, 150]);
  expect([frame.u[50 * 320 + 300], frame.v[50 * 320 + 300]]).toEqual([90, 200]);
});

test("a mask follows the model within a few guesses, and not a single one at once", () => {
  const refiner = new MaskRefiner();
  const luma = newGrid().fill(128);
  const share = () => refiner.refine(luma).offset[GRID_CELLS / 2] as number;
  refiner.update(guessOf(() => false));
  expect(share()).toBe(0);
  refiner.update(guessOf(() => true));
  expect(share()).toBeGreaterThan(0.5);
  expect(share()).toBeLessThan(1);
  for (let i = 0; i < 4; i++) refiner.update(guessOf(() => true));
  expect(share()).toBe(1);
});
