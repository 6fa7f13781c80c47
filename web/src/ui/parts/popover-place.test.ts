import { describe, expect, test } from "vitest";
import { placePopover } from "./popover-place.ts";

const window = { width: 390, height: 844 };
const size = { width: 280, height: 300 };

describe("a popover", () => {
  test("is below its anchor, with both ends aligned", () => {
    const anchor = { left: 320, top: 10, width: 44, height: 44 };
    expect(placePopover(anchor, size, window)).toMatchObject({ left: 84, top: 62 });
  });

  test("is above an anchor at the lower edge", () => {
    const anchor = { left: 320, top: 780, width: 44, height: 44 };
    expect(placePopover(anchor, size, window)).toMatchObject({ left: 84, top: 472 });
  });

  test("above is in the middle of its anchor, and below where there is no room above", () => {
    const anchor = { left: 180, top: 780, width: 44, height: 44 };
    expect(placePopover(anchor, size, window, "above")).toMatchObject({ left: 62, top: 472 });
    const top = { ...anchor, top: 10 };
    expect(placePopover(top, size, window, "above")).toMatchObject({ left: 62, top: 62 });
  });

  test("stays inside the window beside an anchor at its edge", () => {
    const anchor = { left: 0, top: 10, width: 44, height: 44 };
    expect(placePopover(anchor, size, window).left).toBe(8);
  });

  test("covers its anchor and scrolls in a window that is too low for it", () => {
    const low = { width: 568, height: 288 };
    const anchor = { left: 500, top: 100, width: 44, height: 44 };
    expect(placePopover(anchor, size, low)).toEqual({ left: 264, top: 8, maxHeight: 272 });
  });
});
