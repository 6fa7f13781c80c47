// Contrast (WCAG 2.2 §1.4.11) of what marks the focus and who speaks, from computed styles.

import type { Tab } from "./tab.ts";

/** The colours of a ring, and of what is beside it. */
export interface Ring {
  element: string;
  /** Colour of the ring; null without one. */
  ring: string | null;
  /** Colour of a second line beside it, which stands out where the ring does not. */
  edge: string | null;
  /** Colours around it; null if it lies on a picture. */
  ground: string | null;
}

/** Least contrast of a ring with what is beside it. */
export const MIN_CONTRAST = 3;

type Colour = readonly [number, number, number];

function parse(text: string): Colour {
  const [red = 0, green = 0, blue = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(parse(one)), luminance(parse(other))].sort(
    (a, b) => a - b,
  );
  return (high + 0.05) / (low + 0.05);
}

/** Says what is wrong with a ring; null if it stands out. */
export function faultOf({ element, ring, edge, ground }: Ring): string | null {
  if (ring === null) return `${element} has no ring`;
  const best = Math.max(
    ground === null ? 1 : contrast(ring, ground),
    edge === null ? 1 : contrast(ring, edge),
  );
  return best >= MIN_CONTRAST
    ? null
    : `${element}: ${ring} on ${ground ?? "a picture"} has ${best.toFixed(2)}`;
}

/** The ring of what has the focus. */
export function focusRing(tab: Pick<Tab, "evaluate">): Promise<Ring> {
  return tab.evaluate(() => {
    const focused = document.activeElement ?? document.body;
    const name = focused.getAttribute("aria-label") ?? focused.textContent?.trim() ?? "";
    const element = `${focused.tagName.toLowerCase()} “${name.slice(0, 30)}” ${focused.getAttribute("data-testid") ?? ""}`;
    const widthOf = (style: CSSStyleDeclaration) =>
      style.outlineStyle === "none" ? 0 : Number.parseFloat(style.outlineWidth);
    // The ring of a choice is around its label, or a part of it.
    const label = focused.closest("label");
    const places = [...(label ? [label, ...label.querySelectorAll("*")] : []), focused].filter(
      (one) => !(label && one === focused && focused.getBoundingClientRect().width < 4),
    );
    const place = places.find((one) => widthOf(getComputedStyle(one)) >= 2);
    /** The colour behind a point. */
    const groundAt = (x: number, y: number): string | null => {
      const layers: number[][] = [];
      for (const one of document.elementsFromPoint(x, y)) {
        if (one instanceof HTMLVideoElement && one.videoWidth > 0) return null;
        const { backgroundColor, backgroundImage } = getComputedStyle(one);
        if (backgroundImage !== "none") return null;
        const [red = 0, green = 0, blue = 0, alpha = 1] = (
          backgroundColor.match(/[\d.]+/g) ?? []
        ).map(Number);
        if (alpha > 0) layers.push([red, green, blue, alpha]);
        if (alpha === 1) break;
      }
      let mixed = [255, 255, 255];
      for (const [red = 0, green = 0, blue = 0, alpha = 1] of layers.reverse()) {
        mixed = [red, green, blue].map((value, i) => value * alpha + (mixed[i] ?? 0) * (1 - alpha));
      }
      return `rgb(${mixed.map(Math.round).join(", ")})`;
    };
    if (!place) {
      // A line that appears, as that of a panel's edge.
      const line = getComputedStyle(focused, "::after");
      const { left, top, height } = focused.getBoundingClientRect();
      const isLine = line.content !== "none" && line.opacity === "1";
      const ground = groundAt(left - 2, top + height / 2);
      return { element, ring: isLine ? line.backgroundColor : null, edge: null, ground };
    }
    const style = getComputedStyle(place);
    const offset = Number.parseFloat(style.outlineOffset) + widthOf(style);
    const { left, top, height } = place.getBoundingClientRect();
    const shadow = /^(rgba?\([^)]+\)|#\w+) 0px 0px 0px [\d.]+px/.exec(style.boxShadow);
    return {
      element,
      ring: style.outlineColor,
      edge: shadow?.[1] ?? null,
      // Beyond the ring; where there is nothing, as at the edge of the window, within it.
      ground: groundAt(Math.max(1, left - offset - 1), top + height / 2),
    };
  });
}
