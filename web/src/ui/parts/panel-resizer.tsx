import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import styles from "./panel.module.css";

/** Widths of a panel (px). */
const MIN_WIDTH = 300;
const MAX_WIDTH = 560;
const USUAL_WIDTH = 360;
/** Step of an arrow key (px). */
const STEP = 20;

interface Props {
  width: number;
  onDrag: (width: number) => void;
  onEnd: (width: number) => void;
}

/** The edge of a panel, by which pointer and arrow keys change its width. */
export function PanelResizer({ width, onDrag, onEnd }: Props) {
  const { t } = useI18n();
  const start = useRef<{ x: number; width: number } | null>(null);
  const dragged = ({ clientX }: PointerEvent, from: { x: number; width: number }) =>
    clampPanelWidth(from.width + from.x - clientX);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = NEXT_WIDTHS[event.key]?.(width);
    if (next === undefined) return;
    event.preventDefault();
    onEnd(clampPanelWidth(next));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: <hr> is no separator that moves.
    <div
      role="separator"
      tabIndex={0}
      className={styles.resizer}
      aria-orientation="vertical"
      aria-label={t.panel.resize}
      aria-valuemin={MIN_WIDTH}
      aria-valuemax={MAX_WIDTH}
      aria-valuenow={width}
      data-testid="resize-panel"
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => {
        if (start.current) onDrag(dragged(event, start.current));
      }}
      onLostPointerCapture={(event) => {
        if (start.current) onEnd(dragged(event, start.current));
        start.current = null;
      }}
    />
  );
}

const NEXT_WIDTHS: Readonly<Record<string, (width: number) => number>> = {
  ArrowLeft: (width) => width + STEP,
  ArrowRight: (width) => width - STEP,
  Home: () => MAX_WIDTH,
  End: () => MIN_WIDTH,
};

/** The nearest allowed width. */
export function clampPanelWidth(width = USUAL_WIDTH): number {
  return Math.round(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width)));
}
