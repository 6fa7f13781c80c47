/** Edges (px) of the window that an on-screen keyboard covers, where it leaves the window its size. */
export interface CoveredEdges {
  top: number;
  bottom: number;
}

export const NOTHING_COVERED: CoveredEdges = { top: 0, bottom: 0 };

/** Smallest height (px) of a keyboard: the browser's own bars come and go, too. */
const MIN_KEYBOARD = 80;

export function coveredEdges(
  windowHeight: number,
  { height, offsetTop, scale }: Pick<VisualViewport, "height" | "offsetTop" | "scale">,
): CoveredEdges {
  // A page that is zoomed in has a smaller part in sight; nothing covers the rest.
  if (scale > 1.01 || windowHeight - height < MIN_KEYBOARD) return NOTHING_COVERED;
  const top = Math.max(0, Math.round(offsetTop));
  return { top, bottom: Math.max(0, Math.round(windowHeight - height) - top) };
}
