import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Viewport } from "../api.ts";
import { isHidden, normalizeViewports, receivedViewports, ViewportReporter } from "./viewport.ts";

const camera = (participant: string, width: number, height = 180): Viewport => ({
  participant,
  source: "camera",
  width,
  height,
});

let isLinked: boolean;
let reports: (readonly Viewport[])[];
let reporter: ViewportReporter;

beforeEach(() => {
  vi.useFakeTimers();
  isLinked = true;
  reports = [];
  reporter = new ViewportReporter({
    isLinked: () => isLinked,
    send: (viewports) => reports.push(viewports),
  });
});
afterEach(() => vi.useRealTimers());

test("viewports are sorted and rounded", () => {
  expect(normalizeViewports([camera("b", 321), camera("a", -1, 7)])).toEqual([
    camera("a", 0, 0),
    camera("b", 320, 176),
  ]);
});

test("a viewport of no size is hidden, a missing one is not", () => {
  expect(isHidden([camera("a", 0, 0)], "a", "camera")).toBe(true);
  expect(isHidden([camera("a", 16, 16)], "a", "camera")).toBe(false);
  expect(isHidden([], "a", "camera")).toBe(false);
});

test("equal viewports in every render do not delay the report", () => {
  for (let n = 0; n < 10; n++) {
    reporter.set([camera("a", 320 + n / 10)]);
    vi.advanceTimersByTime(100);
  }
  expect(reports).toEqual([[camera("a", 320, 176)]]);
});

test("nothing is reported without a link, and all again for a new peer connection", () => {
  isLinked = false;
  reporter.set([camera("a", 320)]);
  vi.advanceTimersByTime(1_000);
  expect(reports).toEqual([]);
  isLinked = true;
  reporter.reportAgain();
  reporter.reportAgain();
  expect(reports).toHaveLength(2);
});

test("less is the smallest layer of cameras and a readable screen; sound is no video", () => {
  const screen: Viewport = { participant: "b", source: "screen", width: 2560, height: 1440 };
  const shown = [camera("a", 1280, 720), screen, camera("c", 160, 90)];
  expect(receivedViewports(shown, "all")).toEqual(shown);
  expect(receivedViewports(shown, "less")).toEqual([
    camera("a", 320, 180),
    { ...screen, width: 1280, height: 720 },
    camera("c", 160, 90),
  ]);
  expect(receivedViewports(shown, "sound").every(({ width }) => width === 0)).toBe(true);
});

test("a changed reception is reported without a new render", () => {
  reporter.set([camera("a", 320)]);
  vi.advanceTimersByTime(200);
  reporter.setReception("sound");
  vi.advanceTimersByTime(200);
  reporter.setReception("all");
  vi.advanceTimersByTime(200);
  expect(reports).toEqual([[camera("a", 320, 176)], [camera("a", 0, 0)], [camera("a", 320, 176)]]);
});
