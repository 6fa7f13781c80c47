import { describe, expect, test } from "vitest";
import {
  clampZoom,
  MAX_SCALE,
  panBy,
  transformOf,
  WHOLE,
  type Zoom,
  zoomBy,
  zoomByDoubleTap,
  zoomByKey,
  zoomByWheel,
} from "./zoom.ts";

/** A wide picture in a box with bars above and below it. */
const frame = { box: { width: 800, height: 600 }, picture: { width: 1920, height: 1080 } };

/** The point of the picture at a place in the box, from its middle in pixels. */
function pointAt({ scale, x, y }: Zoom, at: { x: number; y: number }) {
  return { x: x + at.x / (800 * scale), y: y + at.y / (450 * scale) };
}

describe("zoom", () => {
  test("ends at the whole picture and at eight times its size", () => {
    expect(zoomBy(WHOLE, 0.5, frame)).toEqual(WHOLE);
    expect(zoomBy(WHOLE, 100, frame).scale).toBe(MAX_SCALE);
  });

  test("keeps what is under the pointer", () => {
    const at = { x: 200, y: -100 };
    const before = zoomBy(WHOLE, 3, frame);
    const after = zoomBy(before, 1.7, frame, at);
    expect(pointAt(after, at).x).toBeCloseTo(pointAt(before, at).x);
    expect(pointAt(after, at).y).toBeCloseTo(pointAt(before, at).y);
  });

  test("shows nothing beyond the edges, however far it is moved", () => {
    for (const by of [-1e4, 1e4]) {
      for (const scale of [1, 1.2, 2, 8]) {
        const moved = panBy({ ...WHOLE, scale }, { x: by, y: by }, frame);
        const left = pointAt(moved, { x: -400, y: 0 }).x;
        const right = pointAt(moved, { x: 400, y: 0 }).x;
        expect(left).toBeGreaterThanOrEqual(-1e-9);
        expect(right).toBeLessThanOrEqual(1 + 1e-9);
        // 1.2 × 450 px are lower than the box: it stays in the middle.
        if (scale < 600 / 450) expect(moved.y).toBe(0.5);
      }
    }
  });

  test("stays on the same part of a picture or box that changes size, inside its edges", () => {
    const zoom = zoomBy(WHOLE, 4, frame, { x: 100, y: 100 });
    const larger = { ...frame, picture: { width: 2560, height: 1440 } };
    expect(clampZoom(zoom, larger)).toEqual(zoom);
    const upright = { ...frame, picture: { width: 1080, height: 1920 } };
    const kept = clampZoom({ scale: 2, x: 0.9, y: 0.5 }, upright);
    // Twice as large it is still narrower than the box.
    expect(kept).toEqual({ scale: 2, x: 0.5, y: 0.5 });
  });

  test("is a transform that moves the point in the middle there", () => {
    expect(transformOf(WHOLE, frame)).toBe("none");
    expect(transformOf({ scale: 2, x: 0.25, y: 0.5 }, frame)).toBe(
      "translate(400.00px, 0.00px) scale(2.0000)",
    );
  });

  test("obeys keys, whose arrows move only what is larger than the box", () => {
    const zoomed = zoomByKey(WHOLE, "+", frame);
    expect(zoomed?.scale).toBe(1.5);
    expect(zoomByKey(WHOLE, "ArrowLeft", frame)).toBeNull();
    const left = zoomByKey(zoomed ?? WHOLE, "ArrowLeft", frame);
    expect(left?.x).toBeLessThan(0.5);
    expect(zoomByKey(left ?? WHOLE, "0", frame)).toEqual(WHOLE);
    expect(zoomByKey(WHOLE, "x", frame)).toBeNull();
  });

  test("goes in and back by double taps, and by the wheel", () => {
    const at = { x: 100, y: 0 };
    const tapped = zoomByDoubleTap(WHOLE, frame, at);
    expect(tapped.scale).toBe(2.5);
    expect(zoomByDoubleTap(tapped, frame, at)).toEqual(WHOLE);
    expect(zoomByWheel(WHOLE, -100, frame, at).scale).toBeGreaterThan(1.3);
    expect(zoomByWheel(tapped, 100, frame, at).scale).toBeLessThan(2.5);
  });
});
