import { type PointerEvent, useCallback, useEffect, useRef } from "react";

/** Time (ms) after which a touch that does not move is a long press. */
const HOLD_MS = 500;
/** Distance (px) up to which a touch has not moved, and from which it is a swipe. */
const STILL_DISTANCE = 10;
const SWIPE_DISTANCE = 48;

interface Touch {
  x: number;
  y: number;
  key: string | null;
  timer: ReturnType<typeof setTimeout>;
}

interface Actions {
  onTap: (key: string) => void;
  onHold: (key: string) => void;
  /** Swiped towards the next page (1) or the one before (-1); `key` is the tile it began on. */
  onSwipe: (step: 1 | -1, key: string | null) => void;
}

/** The tile that contains an element of the stage. */
export function keyOf(target: EventTarget): string | null {
  if (!(target instanceof Element)) return null;
  return target.closest("[data-key]")?.getAttribute("data-key") ?? null;
}

/** Handlers for taps, long presses and swipes by finger or pen on the tiles of a stage. */
export function useTouch({ onTap, onHold, onSwipe }: Actions) {
  const touch = useRef<Touch | null>(null);
  const end = useCallback(() => {
    if (touch.current) clearTimeout(touch.current.timer);
    touch.current = null;
  }, []);
  useEffect(() => end, [end]);
  return {
    onPointerDown: ({ target, pointerType, isPrimary, clientX: x, clientY: y }: PointerEvent) => {
      end();
      const isButton = target instanceof Element && target.closest("button, input, [popover]");
      if (pointerType === "mouse" || !isPrimary || isButton) return;
      const key = keyOf(target);
      const timer = setTimeout(() => {
        end();
        if (key !== null) onHold(key);
      }, HOLD_MS);
      touch.current = { x, y, key, timer };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      const began = touch.current;
      if (!began || Math.hypot(clientX - began.x, clientY - began.y) <= STILL_DISTANCE) return;
      clearTimeout(began.timer);
    },
    onPointerUp: ({ clientX, clientY }: PointerEvent) => {
      const began = touch.current;
      end();
      if (!began) return;
      const [across, down] = [clientX - began.x, clientY - began.y];
      if (Math.abs(across) >= SWIPE_DISTANCE && Math.abs(across) > 2 * Math.abs(down)) {
        onSwipe(across < 0 ? 1 : -1, began.key);
      } else if (Math.hypot(across, down) <= STILL_DISTANCE && began.key !== null) {
        onTap(began.key);
      }
    },
    onPointerCancel: end,
  };
}
