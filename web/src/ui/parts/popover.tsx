import {
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";
import { cx } from "./cx.ts";
import styles from "./popover.module.css";
import { type PopoverSide, placePopover } from "./popover-place.ts";
import { isTabStop, tabStopsOf } from "./tab-stops.ts";

interface Props {
  /** Element that it belongs to; focus returns to it. */
  anchor: RefObject<HTMLElement | null>;
  label: string;
  onClose: () => void;
  side?: PopoverSide;
  /** `menu`: rows of choices; `card`: with room around its parts; `row`: one row of buttons. */
  shape?: "menu" | "card" | "row";
  children: ReactNode;
}

/**
 * A panel beside its anchor, in the top layer, so that neither a tile nor a full screen hides it.
 * Escape, a press elsewhere and focus elsewhere close it. Tab past its ends leads back to its
 * anchor: it is at another place in the document.
 */
export function Popover({
  anchor,
  label,
  onClose,
  side = "below",
  shape = "menu",
  children,
}: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const [style, setStyle] = useState<CSSProperties>({ visibility: "hidden" });
  const latestOnClose = useRef(onClose);
  latestOnClose.current = onClose;

  useLayoutEffect(() => {
    const panel = ref.current;
    const button = anchor.current;
    panel?.showPopover?.();
    const place = () => {
      if (!panel || !button) return;
      // As high as its content: what is in it may come later, such as the list of devices.
      const height = panel.scrollHeight + panel.offsetHeight - panel.clientHeight;
      const width = panel.offsetWidth;
      const stage = { width: innerWidth, height: innerHeight };
      setStyle(placePopover(button.getBoundingClientRect(), { width, height }, stage, side));
    };
    place();
    addEventListener("resize", place);
    const observer = new ResizeObserver(place);
    if (panel) observer.observe(panel);
    const unfollow = button ? follow(button, place, () => latestOnClose.current()) : undefined;
    return () => {
      removeEventListener("resize", place);
      observer.disconnect();
      unfollow?.();
      if (panel?.contains(document.activeElement)) button?.focus();
    };
  }, [anchor, side]);

  // Hidden elements take no focus.
  const isPlaced = style.visibility !== "hidden";
  useEffect(() => {
    const panel = ref.current;
    if (!isPlaced || !panel) return;
    const [first] = tabStopsOf(panel);
    // Of radio buttons the chosen one is the stop.
    const isSame = (stop: HTMLElement) => first !== undefined && isTabStop(first, stop);
    const chosen = [...panel.querySelectorAll<HTMLElement>("input:checked")].find(isSame);
    (chosen ?? first)?.focus();
  }, [isPlaced]);

  useEffect(() => {
    const isInside = (target: EventTarget | null) =>
      target instanceof Node &&
      (ref.current?.contains(target) || anchor.current?.contains(target) || false);
    const onOutside = ({ target }: Event) => {
      if (!isInside(target)) latestOnClose.current();
    };
    addEventListener("pointerdown", onOutside, true);
    addEventListener("focusin", onOutside);
    return () => {
      removeEventListener("pointerdown", onOutside, true);
      removeEventListener("focusin", onOutside);
    };
  }, [anchor]);

  return createPortal(
    <div
      ref={ref}
      popover="manual"
      role="dialog"
      aria-label={label}
      className={cx(styles.popover, styles[shape])}
      style={style}
      onKeyDown={(event: KeyboardEvent<HTMLElement>) => {
        // The keys of its controls mean nothing to the element that opened it.
        event.stopPropagation();
        if (event.key === "Escape" || leavesByTab(event)) {
          event.preventDefault();
          onClose();
        }
      }}
    >
      {children}
    </div>,
    anchor.current?.closest("main") ?? document.body,
  );
}

/**
 * Tells that an element moves, or is gone from the window: a tile slides to another place when
 * somebody joins or the phone is turned. No event tells of either.
 */
function follow(element: HTMLElement, onMove: () => void, onGone: () => void): () => void {
  let before = element.getBoundingClientRect();
  const look = () => {
    frame = requestAnimationFrame(look);
    const box = element.getBoundingClientRect();
    if (box.right <= 0 || box.left >= innerWidth || box.width === 0) return onGone();
    if (box.left === before.left && box.top === before.top && box.width === before.width) return;
    before = box;
    onMove();
  };
  let frame = requestAnimationFrame(look);
  return () => cancelAnimationFrame(frame);
}

function leavesByTab({
  key,
  shiftKey,
  target,
  currentTarget,
}: KeyboardEvent<HTMLElement>): boolean {
  const end = tabStopsOf(currentTarget).at(shiftKey ? 0 : -1);
  return key === "Tab" && target instanceof HTMLElement && (!end || isTabStop(target, end));
}
