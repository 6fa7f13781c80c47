// Shifts of the layout (CLS): what moves on its own, so that somebody presses something else.

import type { Page } from "@playwright/test";

interface LayoutShift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

declare global {
  interface Window {
    loadShifts: string[];
  }
}

/** Records the shifts of every page opened from now on, from its first frame. */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.loadShifts = [];
    const nameOf = (node: Node | null) =>
      node instanceof Element ? node.outerHTML.slice(0, 100) : (node?.textContent ?? "gone");
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as LayoutShift[]) {
        if (hadRecentInput) continue;
        window.loadShifts.push(`${value.toFixed(4)}: ${sources.map(({ node }) => nameOf(node))}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** The shifts so far, after what has changed is drawn. */
export function shiftsOf(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        // Entries come after the frame that they are about.
        requestAnimationFrame(() =>
          requestAnimationFrame(() => setTimeout(() => resolve(window.loadShifts))),
        );
      }),
  );
}

/** Moves an element by 40 px and back: a shift that whatever watches them must see. */
export async function shiftOnce(page: Page, testId: string): Promise<void> {
  await page.getByTestId(testId).evaluate(async (element) => {
    const nextFrame = () => new Promise(requestAnimationFrame);
    element.style.position = "relative";
    element.style.top = "40px";
    await nextFrame();
    await nextFrame();
    element.style.position = "";
    element.style.top = "";
  });
}
