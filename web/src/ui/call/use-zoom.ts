import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import {
  clampZoom,
  type Frame,
  panBy,
  transformOf,
  WHOLE,
  type Zoom,
  zoomBy,
  zoomByDoubleTap,
  zoomByKey,
  zoomByWheel,
} from "./zoom.ts";

/** Time (ms) and distance (px) within which a second tap makes a double tap. */
const DOUBLE_TAP_MS = 350;
const DOUBLE_TAP_DISTANCE = 30;
/** Distance (px) up to which a touch is a tap. */
const TAP_DISTANCE = 10;

interface Point {
  x: number;
  y: number;
}

/**
 * Zoom and pan of a video that is shown whole in its box: by wheel, pinch, keys, double tap and
 * dragging. The video's transform is set here, since a picture that moves with a finger renders
 * nothing else. `box` contains the video and has the handlers.
 */
export function useZoom(
  box: RefObject<HTMLElement | null>,
  video: RefObject<HTMLVideoElement | null>,
  isEnabled: boolean,
) {
  const zoom = useRef<Zoom>(WHOLE);
  const [scale, setScale] = useState(1);
  const pointers = useRef(new Map<number, Point>());
  const began = useRef<Point | null>(null);
  const tapped = useRef<(Point & { at: number }) | null>(null);

  const frame = (): Frame | null => {
    const [element, picture] = [box.current, video.current];
    if (!element || !picture?.videoWidth || !element.clientWidth) return null;
    return {
      box: { width: element.clientWidth, height: element.clientHeight },
      picture: { width: picture.videoWidth, height: picture.videoHeight },
    };
  };
  const set = (next: (zoom: Zoom, frame: Frame) => Zoom) => {
    const now = frame();
    if (!now || !video.current) return;
    zoom.current = clampZoom(next(zoom.current, now), now);
    video.current.style.transform = transformOf(zoom.current, now);
    setScale(zoom.current.scale);
  };
  const latestSet = useRef(set);
  latestSet.current = set;

  /** Position relative to the middle of the box. */
  const pointOf = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
    const rect = box.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: clientX - rect.x - rect.width / 2, y: clientY - rect.y - rect.height / 2 };
  };
  const latestPlaceOf = useRef(pointOf);
  latestPlaceOf.current = pointOf;

  useLayoutEffect(() => {
    if (!isEnabled) latestSet.current(() => WHOLE);
  }, [isEnabled]);

  useEffect(() => {
    const [element, picture] = [box.current, video.current];
    if (!isEnabled || !element || !picture) return;
    const keep = () => latestSet.current((same) => same);
    // React's own listener is passive and could not keep the stage from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = latestPlaceOf.current(event);
      // Firefox counts lines with some wheels.
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
      const delta = event.deltaY * pixels * (event.ctrlKey ? 4 : 1);
      latestSet.current((zoom, frame) => zoomByWheel(zoom, delta, frame, at));
    };
    const observer = new ResizeObserver(keep);
    observer.observe(element);
    picture.addEventListener("resize", keep);
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => {
      observer.disconnect();
      picture.removeEventListener("resize", keep);
      element.removeEventListener("wheel", onWheel);
    };
  }, [box, video, isEnabled]);

  const isControl = (target: EventTarget) =>
    target instanceof Element && target.closest("button, input, [popover]") !== null;

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (isControl(event.target) || event.button !== 0) return;
    pointers.current.set(event.pointerId, pointOf(event));
    began.current = pointers.current.size === 1 ? pointOf(event) : null;
    // Otherwise a finger on the whole picture turns pages.
    if (pointers.current.size > 1 || zoom.current.scale > 1) {
      event.currentTarget.setPointerCapture(event.pointerId);
      event.stopPropagation();
    }
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    // Released outside the box, which is not told of a button that it did not capture.
    if (event.pointerType !== "touch" && event.buttons === 0) {
      pointers.current.delete(event.pointerId);
      return;
    }
    const now = pointOf(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    if (other) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      const by = { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 };
      set((zoom, frame) => panBy(zoomBy(zoom, factor, frame, middle), by, frame));
    } else if (zoom.current.scale > 1) {
      set((zoom, frame) => panBy(zoom, { x: now.x - before.x, y: now.y - before.y }, frame));
    }
  };
  const onPointerUp = (event: PointerEvent) => {
    const start = began.current;
    const isOnly = pointers.current.size === 1;
    if (!pointers.current.delete(event.pointerId)) return;
    // A mouse has an event of its own.
    if (event.pointerType === "mouse" || !start || !isOnly) return;
    const now = pointOf(event);
    if (distance(now, start) > TAP_DISTANCE) return;
    const last = tapped.current;
    const isSecond =
      last !== null &&
      event.timeStamp - last.at <= DOUBLE_TAP_MS &&
      distance(now, last) <= DOUBLE_TAP_DISTANCE;
    tapped.current = isSecond ? null : { ...now, at: event.timeStamp };
    if (isSecond) set((zoom, frame) => zoomByDoubleTap(zoom, frame, now));
  };
  const onPointerCancel = ({ pointerId }: PointerEvent) => pointers.current.delete(pointerId);

  const handlers = {
    onPointerDown,
    onPointerMove,
    onPointerUp,
    onPointerCancel,
    onDoubleClick: (event: MouseEvent) => {
      const { pointerType } = event.nativeEvent as globalThis.PointerEvent;
      if (isControl(event.target) || pointerType === "touch" || pointerType === "pen") return;
      const at = pointOf(event);
      set((zoom, frame) => zoomByDoubleTap(zoom, frame, at));
    },
    onKeyDown: (event: KeyboardEvent) => {
      const now = frame();
      if (event.ctrlKey || event.metaKey || event.altKey || !now) return;
      const next = zoomByKey(zoom.current, event.key, now);
      if (!next) return;
      event.preventDefault();
      set(() => next);
    },
  };
  return {
    scale,
    handlers: isEnabled ? handlers : {},
    press: (key: string) => {
      set((zoom, frame) => zoomByKey(zoom, key, frame) ?? zoom);
    },
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
