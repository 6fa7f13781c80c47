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
import { placePopover } from "./popover-place.ts";

interface Props {
  /** Element that it belongs to; focus returns to it. */
  anchor: RefObject<HTMLElement | null>;
  label: string;
  onClose: () => void;
  className?: string | undefined;
  children: ReactNode;
}

/**
 * A panel beside its anchor, in the top layer, so that neither a tile nor a full screen hides it.
 * Escape, a press elsewhere and focus elsewhere close it.
 */
export function Popover({ anchor, label, onClose, className, children }: Props) {
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
      const { width, height } = panel.getBoundingClientRect();
      const stage = { width: innerWidth, height: innerHeight };
      setStyle(placePopover(button.getBoundingClientRect(), { width, height }, stage));
    };
    place();
    addEventListener("resize", place);
    return () => {
      removeEventListener("resize", place);
      if (panel?.contains(document.activeElement)) button?.focus();
    };
  }, [anchor]);

  // Hidden elements take no focus.
  const isPlaced = style.visibility !== "hidden";
  useEffect(() => {
    if (isPlaced) ref.current?.querySelector<HTMLElement>("input:checked, input, button")?.focus();
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
      className={cx(styles.popover, className)}
      style={style}
      onKeyDown={(event: KeyboardEvent) => {
        // The keys of its controls mean nothing to the element that opened it.
        event.stopPropagation();
        if (event.key === "Escape") onClose();
      }}
    >
      {children}
    </div>,
    anchor.current?.closest("main") ?? document.body,
  );
}
