/** Zoom into a picture that is shown whole within a box, computed without the DOM. */

interface Size {
  width: number;
  height: number;
}

interface Point {
  x: number;
  y: number;
}

/**
 * The part of the picture that is shown. In fractions of the picture, so that it stays the same
 * part when the picture or the box changes size.
 */
export interface Zoom {
  /** Factor of enlargement: 1 shows the whole picture. */
  scale: number;
  /** The point of the picture (0 to 1) in the middle of the box. */
  x: number;
  y: number;
}

export const MAX_SCALE = 8;

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };

/** A box and the picture in it, in pixels. */
export interface Frame {
  box: Size;
  picture: Size;
}

/** Size of the picture in the box at scale 1. */
function fitted({ box, picture }: Frame): Size {
  const factor = Math.min(box.width / picture.width, box.height / picture.height);
  return { width: picture.width * factor, height: picture.height * factor };
}

/** The nearest zoom that shows nothing beyond the edges of the picture where it fills the box. */
export function clampZoom(zoom: Zoom, frame: Frame): Zoom {
  const size = fitted(frame);
  const scale = clamp(zoom.scale, 1, MAX_SCALE);
  const within = (centre: number, length: number, box: number) => {
    const half = box / (2 * length * scale);
    return half >= 0.5 ? 0.5 : clamp(centre, half, 1 - half);
  };
  return {
    scale,
    x: within(zoom.x, size.width, frame.box.width),
    y: within(zoom.y, size.height, frame.box.height),
  };
}

/** Zooms by a factor; what is at `at`, from the middle of the box in pixels, stays there. */
export function zoomBy(zoom: Zoom, factor: number, frame: Frame, at: Point = { x: 0, y: 0 }): Zoom {
  const size = fitted(frame);
  const scale = clamp(zoom.scale * factor, 1, MAX_SCALE);
  const shift = 1 / zoom.scale - 1 / scale;
  return clampZoom(
    {
      scale,
      x: zoom.x + (at.x / size.width) * shift,
      y: zoom.y + (at.y / size.height) * shift,
    },
    frame,
  );
}

/** Moves the picture with a pointer, by pixels. */
export function panBy(zoom: Zoom, by: Point, frame: Frame): Zoom {
  const size = fitted(frame);
  return clampZoom(
    {
      ...zoom,
      x: zoom.x - by.x / (size.width * zoom.scale),
      y: zoom.y - by.y / (size.height * zoom.scale),
    },
    frame,
  );
}

/** CSS transform of an element that fills the box and shows the whole picture without it. */
export function transformOf(zoom: Zoom, frame: Frame): string {
  if (zoom.scale === 1) return "none";
  const size = fitted(frame);
  const x = (0.5 - zoom.x) * size.width * zoom.scale;
  const y = (0.5 - zoom.y) * size.height * zoom.scale;
  return `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px) scale(${zoom.scale.toFixed(4)})`;
}

/** Factor of one press of a key or button. */
const STEP = 1.5;
/** Distance (px) of one press of an arrow key. */
const KEY_DISTANCE = 60;

/** The zoom after a key press; null if the key does nothing here. */
export function zoomByKey(zoom: Zoom, key: string, frame: Frame): Zoom | null {
  switch (key) {
    case "+":
    case "=":
      return zoomBy(zoom, STEP, frame);
    case "-":
      return zoomBy(zoom, 1 / STEP, frame);
    case "0":
      return WHOLE;
  }
  // Otherwise arrow keys move between tiles.
  if (zoom.scale === 1) return null;
  switch (key) {
    case "ArrowLeft":
      return panBy(zoom, { x: KEY_DISTANCE, y: 0 }, frame);
    case "ArrowRight":
      return panBy(zoom, { x: -KEY_DISTANCE, y: 0 }, frame);
    case "ArrowUp":
      return panBy(zoom, { x: 0, y: KEY_DISTANCE }, frame);
    case "ArrowDown":
      return panBy(zoom, { x: 0, y: -KEY_DISTANCE }, frame);
    default:
      return null;
  }
}

/** Scale of a double tap on the whole picture. */
const DOUBLE_TAP_SCALE = 2.5;

/** Zooms in at a point, or back to the whole picture. */
export function zoomByDoubleTap(zoom: Zoom, frame: Frame, at: Point): Zoom {
  return zoom.scale > 1 ? WHOLE : zoomBy(zoom, DOUBLE_TAP_SCALE, frame, at);
}

/** The zoom after a turn of the wheel, or a pinch on a touchpad, which turns it with Ctrl. */
export function zoomByWheel(zoom: Zoom, deltaY: number, frame: Frame, at: Point): Zoom {
  return zoomBy(zoom, Math.exp(-clamp(deltaY, -100, 100) / 250), frame, at);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
