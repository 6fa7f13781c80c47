import { describe, expect, test } from "vitest";
import {
  type Arrangement,
  arrange,
  arrangeAround,
  GAP,
  isInSight,
  type Rect,
  type Stage,
} from "./layout.ts";

const desktop = { width: 1248, height: 690 };
const phone = { width: 374, height: 720 };
const phoneLying = { width: 828, height: 300 };
const stages: [string, Stage][] = [
  ["a desktop", desktop],
  ["a wide monitor", { width: 3400, height: 1300 }],
  ["half a desktop", { width: 620, height: 700 }],
  ["a tablet", { width: 800, height: 1100 }],
  ["a phone", phone],
  ["a phone lying", phoneLying],
];

const cases = stages.flatMap(([name, stage]) =>
  Array.from({ length: 16 }, (_, i) => [i + 1, name, stage] as const),
);

describe("every arrangement", () => {
  test.each(cases)("of %i on %s keeps its tiles whole and apart", (count, _name, stage) => {
    const found = arrange(count, stage);
    expect(found.tiles).toHaveLength(count);
    for (const tile of found.tiles) {
      expect(tile.x).toBeGreaterThanOrEqual(0);
      expect(tile.y).toBeGreaterThanOrEqual(0);
      expect(tile.x + tile.width).toBeLessThanOrEqual(stage.width + 0.5);
      expect(tile.y + tile.height).toBeLessThanOrEqual(Math.max(found.height, stage.height) + 0.5);
      expect(tile.width).toBeGreaterThan(80);
    }
    if (!found.floating) expect(overlaps(found)).toEqual([]);
  });

  test.each(cases)("of %i on %s shows up to nine without scrolling", (count, _name, stage) => {
    if (count > 9) return;
    expect(arrange(count, stage).height).toBeLessThanOrEqual(stage.height);
  });
});

function columnsOf(found: Arrangement): number {
  return new Set(found.tiles.filter((tile) => tile.y === found.tiles[0]?.y).map((tile) => tile.x))
    .size;
}

function overlaps({ tiles }: Arrangement): [Rect, Rect][] {
  return tiles.flatMap((a, i) =>
    tiles
      .slice(i + 1)
      .filter(
        (b) =>
          a.x < b.x + b.width &&
          b.x < a.x + a.width &&
          a.y < b.y + b.height &&
          b.y < a.y + a.height,
      )
      .map((b): [Rect, Rect] => [a, b]),
  );
}

describe("what people expect", () => {
  test("one person fills the stage in a camera's shape", () => {
    const [tile] = arrange(1, desktop).tiles;
    expect(tile?.height).toBe(desktop.height);
    expect((tile?.width ?? 0) / (tile?.height ?? 1)).toBeCloseTo(16 / 9, 2);
  });

  test("two on a desktop sit side by side", () => {
    expect(columnsOf(arrange(2, desktop))).toBe(2);
  });

  test("two in a small window sit side by side too", () => {
    expect(columnsOf(arrange(2, { width: 552, height: 350 }, { mayFloat: false }))).toBe(2);
  });

  test("two on a phone: oneself floats over the other", () => {
    for (const stage of [phone, phoneLying]) {
      const found = arrange(2, stage);
      expect(found.floating).toBe(true);
      expect(found.tiles[0]).toEqual({ x: 0, y: 0, ...stage });
      expect(found.tiles[1]?.width).toBeLessThan(stage.width / 3);
    }
  });

  test("two places on a phone where none may float share it", () => {
    const found = arrange(2, phone, { mayFloat: false });
    expect(found.floating).toBe(false);
    expect(overlaps(found)).toEqual([]);
  });

  test("four make a square, nine make three rows of three", () => {
    expect(columnsOf(arrange(4, desktop))).toBe(2);
    expect(columnsOf(arrange(9, desktop))).toBe(3);
  });

  test("an upright phone has one or two columns", () => {
    expect(columnsOf(arrange(3, phone))).toBe(1);
    for (let count = 4; count <= 12; count++) expect(columnsOf(arrange(count, phone))).toBe(2);
  });

  test("a short last row is centred", () => {
    const { tiles } = arrange(5, desktop);
    const last = tiles.slice(-2);
    const left = last[0]?.x ?? 0;
    const right = desktop.width - ((last[1]?.x ?? 0) + (last[1]?.width ?? 0));
    expect(Math.abs(left - right)).toBeLessThanOrEqual(1);
  });

  test("a crowd scrolls instead of shrinking away", () => {
    const found = arrange(40, phone);
    expect(found.height).toBeGreaterThan(phone.height);
    expect(found.tiles[0]?.width).toBeGreaterThanOrEqual(132);
    expect((found.tiles[1]?.x ?? 0) - (found.tiles[0]?.width ?? 0)).toBeGreaterThanOrEqual(GAP);
  });

  test("nobody, or a stage not yet measured, is no arrangement", () => {
    expect(arrange(0, desktop).tiles).toEqual([]);
    expect(arrange(3, { width: 0, height: 0 }).tiles).toEqual([]);
  });
});

describe("one tile large", () => {
  const around = stages.flatMap(([name, stage]) =>
    Array.from({ length: 12 }, (_, i) => [i, name, stage] as const),
  );
  test.each(around)("with %i beside it on %s has most of the stage", (rest, _name, stage) => {
    const found = arrangeAround(rest, stage);
    expect(found.tiles).toHaveLength(rest + 1);
    expect(overlaps(found)).toEqual([]);
    const [large, ...strip] = found.tiles;
    const area = ({ width, height }: Rect | Stage) => width * height;
    if (!large) throw new Error("no large tile");
    for (const tile of strip) {
      expect(area(tile)).toBeLessThan(area(large) / 2);
      expect(tile.x + tile.width).toBeLessThanOrEqual(stage.width);
      expect(tile.y + tile.height).toBeLessThanOrEqual(found.height);
    }
    expect(area(large)).toBeGreaterThan(area(stage) * 0.33);
  });

  test("a stage not yet measured is no arrangement", () => {
    expect(arrangeAround(2, { width: 0, height: 0 }).tiles).toEqual([]);
  });
});

test("a tile is in sight while any of it is", () => {
  const tile = { x: 0, y: 100, width: 10, height: 50 };
  const stage = { width: 100, height: 80 };
  expect(isInSight(tile, 0, stage)).toBe(false);
  expect(isInSight(tile, 21, stage)).toBe(true);
  expect(isInSight(tile, 149, stage)).toBe(true);
  expect(isInSight(tile, 150, stage)).toBe(false);
});
