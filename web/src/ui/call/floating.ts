import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { usePreference } from "../use-preference.ts";
import {
  CORNERS,
  type Corner,
  cornerTowards,
  nearestCorner,
  type Rect,
  type Stage,
} from "./layout.ts";

/** Distance (px) from which a press is a drag. */
const DRAG_DISTANCE = 4;

/** The corner of the floating tile, which dragging and arrow keys change and the device keeps. */
export function useFloating(stage: Stage) {
  const [stored, setStored] = usePreference("corner");
  const corner: Corner = CORNERS.find((one) => one === stored) ?? "bottomEnd";
  const start = useRef<{ x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<{ x: number; y: number } | null>(null);
  const moved = (rect: Rect): Rect =>
    drag ? { ...rect, x: rect.x + drag.x, y: rect.y + drag.y } : rect;

  const handlers = (rect: Rect) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      // Buttons on the tile are for pressing.
      const isButton = event.target instanceof Element && event.target.closest("button, [popover]");
      if (isButton || event.button !== 0) return;
      start.current = { x: event.clientX, y: event.clientY };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      if (!start.current) return;
      const distance = { x: clientX - start.current.x, y: clientY - start.current.y };
      if (drag || Math.hypot(distance.x, distance.y) >= DRAG_DISTANCE) setDrag(distance);
    },
    onLostPointerCapture: () => {
      start.current = null;
      if (!drag) return;
      setStored(nearestCorner(moved(rect), stage));
      setDrag(null);
    },
    onKeyDown: (event: KeyboardEvent) => {
      const next = cornerTowards(corner, event.key);
      // The other arrow keys lead to the next tile.
      if (next === corner) return;
      event.preventDefault();
      event.stopPropagation();
      setStored(next);
    },
  });

  return {
    corner,
    isDragged: drag !== null,
    moved: (rect: Rect | undefined) => rect && moved(rect),
    handlers,
  };
}
