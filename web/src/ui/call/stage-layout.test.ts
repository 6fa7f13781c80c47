import { describe, expect, test } from "vitest";
import type { Rect } from "./layout.ts";
import {
  INVITATION_KEY,
  PAGER_HEIGHT,
  placeTiles,
  planStage,
  type StageInput,
} from "./stage-layout.ts";

const desktop = { width: 1248, height: 690 };
const phone = { width: 374, height: 690 };

const people = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`);

function place(count: number, changes: Partial<StageInput> & { page?: number } = {}) {
  const { page = 0, ...rest } = changes;
  const input: StageInput = {
    size: desktop,
    corner: "bottomEnd",
    others: count,
    own: "me",
    floating: null,
    large: null,
    isSideBySide: false,
    ...rest,
  };
  const plan = planStage(input);
  const rects = placeTiles(plan, { ...input, page, order: people(count) });
  const inSight = [...rects].filter(([, { x, width }]) => x < input.size.width && x + width > 0);
  return { plan, rects, inSight: new Map(inSight) };
}

const overlap = (a: Rect, b: Rect) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe("the stage", () => {
  test("shows an invitation beside the user who is alone", () => {
    expect([...place(0).rects.keys()]).toEqual([INVITATION_KEY, "me"]);
  });

  test("floats either of two over the other", () => {
    for (const floating of ["me", "p0"]) {
      const { plan, rects } = place(1, { floating });
      expect(plan.kind).toBe("pair");
      const other = rects.get(floating === "me" ? "p0" : "me");
      expect(other).toMatchObject({ y: 0, height: desktop.height });
      expect(rects.get(floating)?.width).toBeLessThan(desktop.width / 4);
    }
  });

  test.each([9, 31])("shows %i people on pages without overlap, the user on each", (count) => {
    for (const size of [desktop, phone]) {
      const { plan, rects } = place(count - 1, { size });
      expect(rects.size).toBe(count);
      const seen = new Set<string>();
      for (let page = 0; page < plan.paging.pages; page++) {
        const { inSight } = place(count - 1, { size, page });
        expect(inSight.has("me")).toBe(true);
        const shown = [...inSight.values()];
        for (const [i, a] of shown.entries()) {
          expect(a.y + a.height).toBeLessThanOrEqual(
            size.height - (plan.paging.pages > 1 ? PAGER_HEIGHT : 0),
          );
          for (const b of shown.slice(i + 1)) expect(overlap(a, b)).toBe(false);
        }
        for (const key of inSight.keys()) seen.add(key);
      }
      expect(seen.size).toBe(count);
    }
  });

  test("fits a page of two above the panel of a phone, without a row of buttons", () => {
    for (const size of [
      { width: 344, height: 126 },
      { width: 264, height: 128 },
      { width: 374, height: 110 },
    ]) {
      const { plan, inSight } = place(3, { size });
      expect(plan).toMatchObject({ hasPager: false, paging: { pages: 3 } });
      expect([...inSight.keys()]).toEqual(["p0", "me"]);
      for (const { x, y, width, height } of inSight.values()) {
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect(x + width).toBeLessThanOrEqual(size.width);
        expect(y + height).toBeLessThanOrEqual(size.height);
        expect(height).toBeGreaterThan(60);
      }
    }
  });

  test("puts no more than a page of others in sight", () => {
    const { plan, inSight } = place(30, { size: phone });
    expect(plan.inSight).toBe(7);
    expect([...inSight.keys()]).toEqual(["p0", "p1", "p2", "p3", "p4", "p5", "p6", "me"]);
  });

  test("has a strip beside the large tile, with the user first", () => {
    const { plan, rects } = place(30, { large: "p3" });
    expect(plan.kind).toBe("strip");
    expect(rects.size).toBe(31);
    expect(rects.get("p3")).toMatchObject({ x: 0, y: 0, height: desktop.height });
    expect(rects.get("me")?.y).toBe(0);
    expect(plan.inSight).toBeGreaterThan(4);
    expect(plan.inSight).toBeLessThan(30);
  });

  test("gives the large tile and the pages one half each side by side", () => {
    const { rects, inSight } = place(30, { large: "p3", isSideBySide: true });
    const large = rects.get("p3") as Rect;
    expect(large.width).toBe(619);
    for (const [key, rect] of inSight)
      if (key !== "p3") expect(rect.x).toBeGreaterThan(large.width);
  });

  test("splits between two people side by side", () => {
    const { rects } = place(1, { large: "p0", isSideBySide: true });
    expect(overlap(rects.get("p0") as Rect, rects.get("me") as Rect)).toBe(false);
  });

  test("floats the user above any layout, smaller than above one person", () => {
    const pair = place(1, { floating: "me" }).rects.get("me") as Rect;
    for (const large of [null, "p1"]) {
      const { plan, rects } = place(8, { floating: "me", large });
      expect(rects.size).toBe(9);
      expect(rects.get("me")?.width).toBeLessThan(pair.width);
      expect(plan.paging.pages).toBe(1);
    }
  });

  test("is empty before it is measured", () => {
    expect(place(3, { size: { width: 0, height: 0 } }).rects.size).toBe(0);
  });
});
