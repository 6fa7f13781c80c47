import { expect, test } from "vitest";
import { isSameTile } from "./same-tile.ts";

test("a tile is drawn again only if it shows something else", () => {
  const stream = {};
  const tile = { kind: "person", isSelf: false, name: "Ada", hand: null, stream };
  const props = { tile, isPinned: false, onPin: () => {} };
  expect(isSameTile(props, { ...props, tile: { ...tile }, onPin: () => {} })).toBe(true);
  expect(isSameTile(props, { ...props, isPinned: true })).toBe(false);
  expect(isSameTile<object>(props, { ...props, tile: { ...tile, hand: 1 } })).toBe(false);
  expect(isSameTile(props, { ...props, tile: { ...tile, stream: {} } })).toBe(false);
  expect(isSameTile<object>(props, { ...props, onPin: undefined })).toBe(false);
  expect(isSameTile<object>(props, { tile, isPinned: false })).toBe(false);
  expect(isSameTile<object>(props, { ...props, tile: { ...tile, alike: 2 } })).toBe(false);
});
