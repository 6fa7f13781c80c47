import { useEffect } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Rect } from "./layout.ts";
import styles from "./pager.module.css";
import { PAGER_HEIGHT } from "./stage-layout.ts";

interface Props {
  page: number;
  pages: number;
  /** The grid above the buttons. */
  grid: Rect;
  onPage: (page: number) => void;
}

/** Width (px) that the buttons take, with the longest text between them. */
export const pagerWidth = (textScale: number) => 96 + 140 * textScale;

/** Buttons and keys (Page Up, Page Down) that turn the pages of a grid. */
export function Pager({ page, pages, grid, onPage }: Props) {
  const { t } = useI18n();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const step = event.key === "PageDown" ? 1 : event.key === "PageUp" ? -1 : 0;
      const next = page + step;
      if (step === 0 || event.defaultPrevented || scrollsBy(event.target)) return;
      event.preventDefault();
      if (next >= 0 && next < pages) onPage(next);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [page, pages, onPage]);
  return (
    <nav
      className={styles.pager}
      aria-label={t.layout.pages}
      style={{
        insetInlineStart: grid.x,
        top: grid.y + grid.height,
        width: grid.width,
        height: PAGER_HEIGHT,
      }}
    >
      <button
        type="button"
        className={`${styles.turn} ${styles.back}`}
        aria-label={t.layout.previousPage}
        disabled={page === 0}
        data-testid="previous-page"
        onClick={() => onPage(page - 1)}
      >
        <Icon name="next" size={20} />
      </button>
      <span className={styles.count} aria-live="polite" data-testid="page">
        {t.layout.page(page + 1, pages)}
      </span>
      <button
        type="button"
        className={styles.turn}
        aria-label={t.layout.nextPage}
        disabled={page === pages - 1}
        data-testid="next-page"
        onClick={() => onPage(page + 1)}
      >
        <Icon name="next" size={20} />
      </button>
    </nav>
  );
}

/** Elements that the keys scroll, or move within. */
const SCROLLED =
  "input, textarea, select, dialog, aside, [role=dialog], [role=menu], [role=listbox], [role=log]";

function scrollsBy(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(SCROLLED) !== null;
}
