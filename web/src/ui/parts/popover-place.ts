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

/** `below`: with the ends aligned; `above`: with the middles aligned. The other if it fits only there. */
export type PopoverSide = "below" | "above";

/** Space to its anchor and to the edges of the window (px). */
const SPACE = 8;

/** On the preferred side of its anchor if there is room, else on the other one, else over it. */
export function placePopover(
  anchor: Box,
  { width, height }: Size,
  window: Size,
  preferred: PopoverSide = "below",
): PopoverPlace {
  const room = {
    below: window.height - (anchor.top + anchor.height) - 2 * SPACE,
    above: anchor.top - 2 * SPACE,
  };
  const end = anchor.left + anchor.width - width;
  const middle = anchor.left + (anchor.width - width) / 2;
  const left = clamp(preferred === "below" ? end : middle, SPACE, window.width - width - SPACE);
  const sides: PopoverSide[] = preferred === "below" ? ["below", "above"] : ["above", "below"];
  const side = sides.find((side) => height <= room[side]);
  if (side === "below") {
    return { left, top: anchor.top + anchor.height + SPACE, maxHeight: room.below };
  }
  if (side === "above") return { left, top: anchor.top - height - SPACE, maxHeight: room.above };
  // Fits neither below nor above: over the anchor, as high as the window allows.
  const maxHeight = window.height - 2 * SPACE;
  const shown = Math.min(height, maxHeight);
  return { left, top: clamp(anchor.top, SPACE, window.height - shown - SPACE), maxHeight };
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
