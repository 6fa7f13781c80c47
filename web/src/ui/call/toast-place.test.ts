import { expect, test } from "vitest";
import type { Rect } from "./layout.ts";
import { placeToasts } from "./toast-place.ts";

/** Rows of tiles from the top, with gaps of 10 px. */
const rows = (count: number, columns: number, width: number, height: number): Rect[] =>
  Array.from({ length: count }, (_, i) => ({
    x: (i % columns) * (width + 10),
    y: Math.floor(i / columns) * (height + 10),
    width,
    height,
  }));

const NOTHING = { floating: undefined, pager: null };

test("two toasts lie above the names of the lowest tiles", () => {
  const tiles = rows(4, 2, 600, 300);
  const { bottom, room } = placeToasts({ width: 1210, height: 610 }, { ...NOTHING, tiles });
  expect(room).toBe("two");
  expect(bottom).toBeGreaterThanOrEqual(40);
  expect(bottom).toBeLessThan(60);
});

test("tiles that end above the lower edge leave room below them", () => {
  const tiles = rows(4, 2, 300, 150);
  expect(placeToasts({ width: 610, height: 500 }, { ...NOTHING, tiles })).toEqual({
    bottom: 8,
    room: "two",
    width: 360,
  });
  // Too little room below: above the names, not over them.
  const { bottom } = placeToasts({ width: 610, height: 330 }, { ...NOTHING, tiles });
  expect(bottom).toBeGreaterThanOrEqual(330 - 310 + 30);
});

test("between the names of small tiles there is room for one, and of low ones for a line", () => {
  const small = rows(8, 2, 170, 110);
  const upright = placeToasts(
    { width: 350, height: 520 },
    { ...NOTHING, tiles: small, pager: { height: 48, left: 60 } },
  );
  expect(upright.room).toBe("one");
  expect(upright.bottom).toBeGreaterThanOrEqual(48 + 30);

  const low = rows(6, 3, 190, 70);
  const lying = placeToasts({ width: 600, height: 150 }, { ...NOTHING, tiles: low });
  expect(lying.room).toBe("line");
});

test("a line lies beside the buttons that turn pages, or above a name, never over them", () => {
  const low = rows(6, 3, 190, 80);
  const stage = { width: 600, height: 218 };
  const beside = placeToasts(stage, {
    ...NOTHING,
    tiles: low,
    pager: { height: 48, left: 230 },
  });
  expect(beside).toEqual({ bottom: 0, room: "line", width: 210 });
  const narrow = placeToasts(
    { width: 350, height: 308 },
    { ...NOTHING, tiles: rows(3, 1, 350, 80), pager: { height: 48, left: 60 } },
  );
  expect(narrow.room).toBe("line");
  expect(narrow.bottom).toBeGreaterThanOrEqual(48 + 33);
  // A floating tile is in the corner beside the buttons.
  const floating = { x: 0, y: 138, width: 104, height: 80 };
  const { bottom } = placeToasts(stage, {
    tiles: low,
    floating,
    pager: { height: 48, left: 230 },
  });
  expect(bottom).toBeGreaterThanOrEqual(48);
});

test("a floating tile is above or beside it, never under it", () => {
  const tiles = [{ x: 0, y: 0, width: 374, height: 700 }];
  const floating = { x: 260, y: 560, width: 104, height: 130 };
  const stage = { width: 374, height: 700 };
  const above = placeToasts(stage, { tiles, floating, pager: null });
  expect(above.bottom).toBeGreaterThanOrEqual(140);
  const wide = { tiles: [{ ...tiles[0], width: 1200 } as Rect], pager: null };
  const beside = placeToasts(
    { width: 1200, height: 700 },
    { ...wide, floating: { ...floating, x: 1000 } },
  );
  expect(beside.bottom).toBeLessThan(60);
});

test("larger text takes more room", () => {
  const tiles = rows(4, 2, 600, 300);
  const stage = { width: 1210, height: 610 };
  const { bottom } = placeToasts(stage, { ...NOTHING, tiles }, 2);
  expect(bottom).toBeGreaterThanOrEqual(60);
});
