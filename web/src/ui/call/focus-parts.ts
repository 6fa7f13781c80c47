/** The parts of the call view between which F2 leads the focus: bar, tiles, side panel. */
import { useEffect, useRef } from "react";
import { isTabStop, tabStopsOf } from "../parts/tab-stops.ts";

interface Part {
  /** Selects the part. */
  readonly scope: string;
  /** Selects, within it, what receives the focus. */
  readonly target: string;
}

export const CONTROLS_ID = "call-controls";
export const TILES_ID = "call-tiles";

const BAR: Part = { scope: `#${CONTROLS_ID}`, target: "button" };
const TILES: Part = { scope: `#${TILES_ID}`, target: '[data-tile-action][tabindex="0"]' };
const PANEL: Part = { scope: "aside", target: "h2" };
const PARTS = [BAR, TILES, PANEL];

/** Leads the focus to the bar, and from there on to the next part and around. */
export function focusNextPart(): void {
  const places = PARTS.flatMap(({ scope, target }) => {
    const part = document.querySelector(scope);
    const place = part?.querySelector<HTMLElement>(target);
    return part && place ? [{ part, place }] : [];
  });
  const current = places.findIndex(({ part }) => part.contains(document.activeElement));
  places[(current + 1) % places.length]?.place.focus();
}

/**
 * Lets Tab go on from the last control of the view to its first: the view ends with the tiles, so
 * tabbing on from there would leave the page in the middle of a call. Shift+Tab leaves it as ever,
 * and a page in a frame always goes on to the site around it.
 */
function onTab(event: KeyboardEvent): void {
  const view = event.currentTarget;
  if (event.key !== "Tab" || event.shiftKey || event.defaultPrevented || parent !== window) return;
  if (!(view instanceof HTMLElement) || !(event.target instanceof HTMLElement)) return;
  if (event.target.closest("dialog, [role=dialog], [role=menu]")) return;
  const stops = tabStopsOf(view);
  const last = stops.at(-1);
  if (!last || !isTabStop(event.target, last)) return;
  event.preventDefault();
  stops[0]?.focus();
}

/**
 * Keeps the focus in the call view: if the element that has it goes, such as the tile of somebody who
 * leaves or a banner's button, the focus moves on within its part, or to the bar.
 */
export function useKeptFocus() {
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    const view = root.current;
    if (!view) return;
    let last: Element | null = null;
    let part: Part = BAR;
    const onFocus = ({ target }: FocusEvent) => {
      last = target instanceof Element ? target : null;
      part = PARTS.find(({ scope }) => last?.closest(scope)) ?? BAR;
    };
    const onChange = () => {
      if (!last || last.isConnected || document.activeElement !== document.body) return;
      last = null;
      for (const { scope, target } of [part, BAR]) {
        const place = view.querySelector<HTMLElement>(`${scope} ${target}`);
        if (place) return place.focus();
      }
    };
    const observer = new MutationObserver(onChange);
    observer.observe(view, { childList: true, subtree: true });
    view.addEventListener("focusin", onFocus);
    view.addEventListener("keydown", onTab);
    return () => {
      observer.disconnect();
      view.removeEventListener("keydown", onTab);
      view.removeEventListener("focusin", onFocus);
    };
  }, []);
  return root;
}
