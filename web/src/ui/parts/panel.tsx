import { type CSSProperties, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { usePreference } from "../use-preference.ts";
import { isComposing } from "./composing.ts";
import { IconButton } from "./icon-button.tsx";
import styles from "./panel.module.css";
import { clampPanelWidth, PanelResizer } from "./panel-resizer.tsx";

interface Props {
  title: string;
  testId: string;
  onClose: () => void;
  /** The title receives focus; otherwise something in the panel does, or nothing. */
  takesFocus?: boolean;
  /** The content scrolls by itself, edge to edge. */
  isBare?: boolean;
  children: ReactNode;
}

/**
 * The side panel of a call: beside the tiles with a width that is remembered, below them on an
 * upright phone. Escape closes it from anywhere.
 */
export function Panel({
  title,
  testId,
  onClose,
  takesFocus = true,
  isBare = false,
  children,
}: Props) {
  const { t } = useI18n();
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const [stored, store] = usePreference("panelWidth");
  const [dragged, setDragged] = useState<number | null>(null);
  const width = dragged ?? clampPanelWidth(stored);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens.
  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, []);
  useEscape(onClose);
  return (
    <aside
      className={styles.panel}
      aria-labelledby={id}
      data-testid={testId}
      style={{ "--panel-width": `${width}px` } as CSSProperties}
    >
      <PanelResizer
        width={width}
        onDrag={setDragged}
        onEnd={(width) => {
          setDragged(null);
          store(width);
        }}
      />
      <header className={styles.head}>
        <h2 ref={heading} id={id} className={styles.title} tabIndex={-1}>
          {title}
        </h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      {isBare ? children : <div className={styles.body}>{children}</div>}
    </aside>
  );
}

/** Calls `close` at Escape, unless a dialog, a menu or the input method uses the key. */
function useEscape(close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || isComposing(event)) return;
      const isInDialog = event.target instanceof Element && event.target.closest("dialog");
      if (!isInDialog) latest.current();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
