import type { Call, Viewport } from "moim-client";
import { useEffect } from "react";
import { isVisible, type Rect, type Stage } from "./layout.ts";
import { type AnyTileView, sourceOf } from "./tile-view.ts";
import { useIsPageVisible } from "./use-is-page-visible.ts";
import { PIP_SIZE } from "./use-pip.ts";

interface Shown {
  rects: ReadonlyMap<string, Rect>;
  scrolled: number;
  size: Stage;
  /** The tile that does not scroll. */
  large: string | null;
  /** The tile in a small window, which shows it while the page is hidden, too. */
  popped: string | null;
}

/** Reports which remote videos are visible, and their sizes in device pixels. */
export function useViewports(
  call: Call,
  tiles: readonly AnyTileView[],
  { rects, scrolled, size, large, popped }: Shown,
): void {
  const isPageVisible = useIsPageVisible();
  const viewports = tiles.flatMap((tile): Viewport[] => {
    const source = sourceOf(tile);
    const rect = rects.get(tile.key);
    // Before the stage is measured nothing is known; afterwards a tile without a place is hidden.
    if (!source || rects.size === 0) return [];
    const isInSight = rect && (tile.key === large || isVisible(rect, scrolled, size));
    const inPage = isPageVisible && rect && isInSight ? rect : { width: 0, height: 0 };
    const inWindow = tile.key === popped ? PIP_SIZE : { width: 0, height: 0 };
    return [
      {
        participant: tile.id,
        source,
        width: Math.round(Math.max(inPage.width, inWindow.width) * devicePixelRatio),
        height: Math.round(Math.max(inPage.height, inWindow.height) * devicePixelRatio),
      },
    ];
  });
  // After every render: the call ignores viewports that equal those before.
  useEffect(() => call.setViewports(viewports));
}
