import { expect, test } from "vitest";
import { coveredEdges, NOTHING_COVERED } from "./covered-edges.ts";

test("a keyboard covers the lower edge, and the upper one once the browser has scrolled", () => {
  expect(coveredEdges(844, { height: 544, offsetTop: 0, scale: 1 })).toEqual({
    top: 0,
    bottom: 300,
  });
  expect(coveredEdges(844, { height: 544, offsetTop: 120, scale: 1 })).toEqual({
    top: 120,
    bottom: 180,
  });
});

test("neither zoom nor the browser's own bars cover anything", () => {
  expect(coveredEdges(844, { height: 422, offsetTop: 90, scale: 2 })).toEqual(NOTHING_COVERED);
  expect(coveredEdges(844, { height: 790, offsetTop: 0, scale: 1 })).toEqual(NOTHING_COVERED);
});
