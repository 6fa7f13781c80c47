/** Place of a popover in the window, computed without the DOM. */

interface Size {
  width: number;
  height: number;
}

interface Box extends Size {
  left: number;
  top: number;
}

export interface PopoverPlace {
  left: number;
  top: number;
  maxHeight: number;
}

/** Space to its anchor and to the edges of the window (px). */
const SPACE = 8;

/** Below its anchor or above it, where there is more room, with the ends aligned if possible. */
export function placePopover(anchor: Box, { width, height }: Size, window: Size): PopoverPlace {
  const below = window.height - (anchor.top + anchor.height) - 2 * SPACE;
  const above = anchor.top - 2 * SPACE;
  const left = clamp(anchor.left + anchor.width - width, SPACE, window.width - width - SPACE);
  if (height <= below) {
    return { left, top: anchor.top + anchor.height + SPACE, maxHeight: below };
  }
  if (height <= above) return { left, top: anchor.top - height - SPACE, maxHeight: above };
  // Fits neither below nor above: over the anchor, as high as the window allows.
  const maxHeight = window.height - 2 * SPACE;
  const shown = Math.min(height, maxHeight);
  return { left, top: clamp(anchor.top, SPACE, window.height - shown - SPACE), maxHeight };
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
