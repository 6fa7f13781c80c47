import { describe, expect, test } from "vitest";
import {
  type Arrangement,
  arrange,
  arrangeAround,
  CORNERS,
  cornerTowards,
  coveredWidth,
  GAP,
  halves,
  isVisible,
  nearestCorner,
  pageCapacity,
  type Rect,
  type Stage,
} from "./layout.ts";

const desktop = { width: 1248, height: 690 };
const phone = { width: 374, height: 720 };
const phoneLandscape = { width: 828, height: 300 };
const stages: [string, Stage][] = [
  ["a desktop", desktop],
  ["a wide monitor", { width: 3400, height: 1300 }],
  ["half a desktop", { width: 620, height: 700 }],
  ["a tablet", { width: 800, height: 1100 }],
  ["a phone", phone],
  ["a phone in landscape", phoneLandscape],
];

const cases = stages.flatMap(([name, stage]) =>
  Array.from({ length: 16 }, (_, i) => [i + 1, name, stage] as const),
);

describe("every grid", () => {
  test.each(cases)("of %i on %s stays inside and does not overlap", (count, _name, stage) => {
    const grid = arrange(count, stage);
    expect(grid.tiles).toHaveLength(count);
    for (const tile of grid.tiles) {
      expect(tile.x).toBeGreaterThanOrEqual(0);
      expect(tile.y).toBeGreaterThanOrEqual(0);
      expect(tile.x + tile.width).toBeLessThanOrEqual(stage.width + 0.5);
      expect(tile.y + tile.height).toBeLessThanOrEqual(Math.max(grid.height, stage.height) + 0.5);
      expect(tile.width).toBeGreaterThan(80);
    }
    if (!grid.floating) expect(overlaps(grid)).toEqual([]);
  });

  test.each(cases)("of %i on %s fits up to nine without scrolling", (count, _name, stage) => {
    if (count > 9) return;
    expect(arrange(count, stage).height).toBeLessThanOrEqual(stage.height);
  });
});

function columnsOf({ tiles }: Arrangement): number {
  return new Set(tiles.filter((tile) => tile.y === tiles[0]?.y).map((tile) => tile.x)).size;
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

describe("the grid", () => {
  test("gives one person the whole height, in a camera's aspect ratio", () => {
    const [tile] = arrange(1, desktop).tiles;
    expect(tile?.height).toBe(desktop.height);
    expect((tile?.width ?? 0) / (tile?.height ?? 1)).toBeCloseTo(16 / 9, 2);
  });

  test("gives the other of two people at least 80 % of the stage, and floats the user", () => {
    for (const [, stage] of stages) {
      const { tiles, floating } = arrange(2, stage);
      const [other, self] = tiles as [Rect, Rect];
      expect(floating).toBe(true);
      expect(other.width * other.height).toBeGreaterThan(0.79 * stage.width * stage.height);
      expect(self.width * self.height).toBeLessThan(0.2 * stage.width * stage.height);
    }
  });

  test("fills the stage with the other of two people while the user is hidden", () => {
    const [tile] = arrange(1, desktop, { fills: true }).tiles;
    expect(tile).toEqual({ x: 0, y: 0, ...desktop });
  });

  test("puts two people in a small window side by side", () => {
    expect(columnsOf(arrange(2, { width: 552, height: 350 }, { mayFloat: false }))).toBe(2);
  });

  test("floats the user over the other participant on a phone", () => {
    for (const stage of [phone, phoneLandscape]) {
      const grid = arrange(2, stage);
      expect(grid.floating).toBe(true);
      expect(grid.tiles[0]).toEqual({ x: 0, y: 0, ...stage });
      expect(grid.tiles[1]?.width).toBeLessThan(stage.width / 3);
    }
  });

  test("splits a phone between two tiles if none may float", () => {
    const grid = arrange(2, phone, { mayFloat: false });
    expect(grid.floating).toBe(false);
    expect(overlaps(grid)).toEqual([]);
  });

  test("arranges four as two by two and nine as three by three", () => {
    expect(columnsOf(arrange(4, desktop))).toBe(2);
    expect(columnsOf(arrange(9, desktop))).toBe(3);
  });

  test("has one or two columns on a phone in portrait", () => {
    expect(columnsOf(arrange(3, phone))).toBe(1);
    for (let count = 4; count <= 12; count++) expect(columnsOf(arrange(count, phone))).toBe(2);
  });

  test("centres a short last row", () => {
    const { tiles } = arrange(5, desktop);
    const last = tiles.slice(-2);
    const left = last[0]?.x ?? 0;
    const right = desktop.width - ((last[1]?.x ?? 0) + (last[1]?.width ?? 0));
    expect(Math.abs(left - right)).toBeLessThanOrEqual(1);
  });

  test("scrolls instead of shrinking tiles below their minimum width", () => {
    const grid = arrange(40, phone);
    expect(grid.height).toBeGreaterThan(phone.height);
    // Nothing is left free at the sides.
    expect(grid.tiles[0]?.width).toBe(Math.floor((phone.width - GAP) / 2));
    expect((grid.tiles[1]?.x ?? 0) - (grid.tiles[0]?.width ?? 0)).toBeGreaterThanOrEqual(GAP);
  });

  test("is empty without tiles or before the stage is measured", () => {
    expect(arrange(0, desktop).tiles).toEqual([]);
    expect(arrange(3, { width: 0, height: 0 }).tiles).toEqual([]);
  });
});

describe("the layout with one large tile", () => {
  const around = stages.flatMap(([name, stage]) =>
    Array.from({ length: 12 }, (_, i) => [i, name, stage] as const),
  );
  test.each(around)("gives it most of the stage, with %i others on %s", (rest, _name, stage) => {
    const arrangement = arrangeAround(rest, stage);
    expect(arrangement.tiles).toHaveLength(rest + 1);
    expect(overlaps(arrangement)).toEqual([]);
    const [large, ...strip] = arrangement.tiles;
    const area = ({ width, height }: Rect | Stage) => width * height;
    if (!large) throw new Error("no large tile");
    for (const tile of strip) {
      expect(area(tile)).toBeLessThan(area(large) / 2);
      expect(tile.x + tile.width).toBeLessThanOrEqual(stage.width);
      expect(tile.y + tile.height).toBeLessThanOrEqual(arrangement.height);
    }
    expect(area(large)).toBeGreaterThan(area(stage) * 0.33);
  });

  test.each([8, 30])("shows the %i others of a desktop at 140 px or more", (rest) => {
    const { tiles } = arrangeAround(rest, desktop);
    const [large, ...strip] = tiles as [Rect, ...Rect[]];
    for (const tile of strip) expect(tile.width).toBeGreaterThanOrEqual(140);
    // It stays in place while the strip scrolls beside it.
    expect(large).toMatchObject({ x: 0, y: 0, height: desktop.height });
    expect(strip.every(({ x }) => x > large.width)).toBe(true);
  });

  test("shows the others of an upright phone at 140 px or more", () => {
    for (const tile of arrangeAround(30, phone).tiles)
      expect(tile.width).toBeGreaterThanOrEqual(140);
  });

  test("uses the height of the stage for the strip of eight", () => {
    const { tiles, height } = arrangeAround(7, desktop);
    const used = tiles.slice(1).reduce((bottom, tile) => Math.max(bottom, tile.y + tile.height), 0);
    expect(height).toBe(desktop.height);
    expect(used - (tiles[1]?.y ?? 0)).toBeGreaterThan(desktop.height * 0.6);
  });

  test("is empty before the stage is measured", () => {
    expect(arrangeAround(2, { width: 0, height: 0 }).tiles).toEqual([]);
  });
});

describe("a page", () => {
  test("holds 25 on a desktop, and six to eight on a phone", () => {
    expect(pageCapacity(desktop)).toBe(25);
    expect(pageCapacity({ width: 374, height: 650 })).toBe(8);
    expect(pageCapacity({ width: 344, height: 440 })).toBe(6);
    expect(pageCapacity({ width: 740, height: 286 })).toBe(8);
  });

  test("has two rows above the panel of an upright phone", () => {
    expect(pageCapacity({ width: 374, height: 169 })).toBe(4);
    expect(pageCapacity({ width: 374, height: 121 })).toBe(2);
  });

  test.each(stages)("needs no scrolling on %s, and its tiles are worth looking at", (_, stage) => {
    const { tiles, height } = arrange(pageCapacity(stage), stage, { mayFloat: false });
    expect(height).toBeLessThanOrEqual(stage.height);
    for (const tile of tiles) expect(tile.width).toBeGreaterThanOrEqual(120);
  });
});

test.each(stages)("halves of %s share it without overlap", (_name, stage) => {
  const [large, rest] = halves(stage);
  expect(overlaps({ tiles: [large, rest], height: 0, floating: false })).toEqual([]);
  expect(large).toMatchObject({ width: rest.width, height: rest.height });
  expect(rest.x + rest.width).toBeLessThanOrEqual(stage.width);
  expect(rest.y + rest.height).toBeLessThanOrEqual(stage.height);
});

test("a name ends before the floating tile that would cover it", () => {
  const tile = { x: 0, y: 0, width: 400, height: 300 };
  const floating = { x: 290, y: 210, width: 100, height: 80 };
  expect(coveredWidth(tile, floating)).toBe(110);
  expect(coveredWidth(tile, { ...floating, y: 10 })).toBe(0);
  expect(coveredWidth(tile, { ...floating, x: 500 })).toBe(0);
  expect(coveredWidth({ ...tile, x: 300 }, floating)).toBe(0);
});

describe("the floating tile", () => {
  test.each(CORNERS)("stays inside the stage at %s, which is its nearest corner", (corner) => {
    for (const [, stage] of stages) {
      const self = arrange(2, stage, { corner }).tiles[1] as Rect;
      expect(self.x).toBeGreaterThanOrEqual(GAP);
      expect(self.y).toBeGreaterThanOrEqual(GAP);
      expect(self.x + self.width).toBeLessThanOrEqual(stage.width - GAP);
      expect(self.y + self.height).toBeLessThanOrEqual(stage.height - GAP);
      expect(nearestCorner(self, stage)).toBe(corner);
    }
  });

  test("moves to each corner by arrow keys, and stays at an edge", () => {
    expect(cornerTowards("bottomEnd", "ArrowUp")).toBe("topEnd");
    expect(cornerTowards("topEnd", "ArrowLeft")).toBe("topStart");
    expect(cornerTowards("topStart", "ArrowDown")).toBe("bottomStart");
    expect(cornerTowards("bottomStart", "ArrowRight")).toBe("bottomEnd");
    expect(cornerTowards("bottomEnd", "ArrowDown")).toBe("bottomEnd");
    expect(cornerTowards("bottomEnd", "Tab")).toBe("bottomEnd");
  });
});

test("a tile is visible while any part of it is", () => {
  const tile = { x: 0, y: 100, width: 10, height: 50 };
  const stage = { width: 100, height: 80 };
  expect(isVisible(tile, 0, stage)).toBe(false);
  expect(isVisible(tile, 21, stage)).toBe(true);
  expect(isVisible(tile, 149, stage)).toBe(true);
  expect(isVisible(tile, 150, stage)).toBe(false);
  expect(isVisible({ ...tile, x: 100 }, 100, stage)).toBe(false);
  expect(isVisible({ ...tile, x: -10 }, 100, stage)).toBe(false);
});
