// Everything that can be pressed, typed into or followed is whole and reachable, in any view.

import type { Page } from "@playwright/test";
import type { Tab } from "./tab.ts";

/** The sizes of a window (CSS px): desktops, tablets, phones upright and lying, and 200 % of zoom. */
export const SIZES = [
  [2560, 1440],
  [1440, 900],
  [1280, 800],
  [1024, 768],
  [768, 1024],
  [390, 844],
  [360, 640],
  [844, 390],
  [667, 331],
  [640, 360],
  [320, 568],
  [280, 653],
  [640, 400],
] as const;

/** Smallest side (px) of what a mouse or a finger presses. */
const MIN_SIDE = { mouse: 24, finger: 44 };

/**
 * The faults of the view in a window of the present size: what is outside, too small, or covered
 * where it should be pressed. What a part of the page can scroll into sight is looked at there.
 */
export async function faultsOf(
  tab: Pick<Tab, "evaluate" | "evaluateWith">,
  pointer: keyof typeof MIN_SIDE,
): Promise<string[]> {
  let faults: string[] = [];
  // What follows the size of the window does so in a later frame.
  for (let frame = 0; frame < 10; frame++) {
    await tab.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    faults = await presentFaults(tab, MIN_SIDE[pointer]);
    if (faults.length === 0) break;
  }
  return faults;
}

function presentFaults(tab: Pick<Tab, "evaluateWith">, minSide: number): Promise<string[]> {
  return tab.evaluateWith((minSide) => {
    const faults: string[] = [];
    const describe = (element: Element) => {
      const name = element.getAttribute("aria-label") ?? element.textContent?.trim() ?? "";
      const id = element.getAttribute("data-testid");
      return `${element.tagName.toLowerCase()} “${(name || element.className).slice(0, 40)}”${id ? ` (${id})` : ""}`;
    };
    const isForScreenReaders = (element: Element | null): boolean =>
      element !== null &&
      (getComputedStyle(element).clipPath === "inset(50%)" ||
        isForScreenReaders(element.parentElement));
    const overflow = document.documentElement.scrollWidth - innerWidth;
    if (overflow > 0) faults.push(`the page is ${overflow} px wider than the window`);

    const PRESSED =
      "button, a[href], input, select, textarea, summary, [role^=menuitem], [role=tab], [role=separator][tabindex]";
    // A dialog covers what is behind it.
    const dialogs = [...document.querySelectorAll("[role=dialog], dialog[open], [role=menu]")];
    const modal = dialogs.at(-1);
    for (const element of (modal ?? document).querySelectorAll<HTMLElement>(PRESSED)) {
      // A choice is pressed by its label.
      const label = element.matches("input[type=radio], input[type=checkbox], input[type=range]")
        ? element.closest("label")
        : null;
      const target = label ?? element;
      const isShown = target.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      // Tiles show their actions to a pointer that is over them, after a tap, and to the focus.
      if (!isShown || target.closest("[inert]")) continue;
      const style = getComputedStyle(target);
      if (isForScreenReaders(target) || element.matches("[type=hidden], [aria-hidden=true]"))
        continue;
      target.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
      const { left, top, right, bottom, width, height } = target.getBoundingClientRect();
      if (width === 0 || height === 0) continue;
      const EDGE = 0.5;
      if (left < -EDGE || right > innerWidth + EDGE || top < -EDGE || bottom > innerHeight + EDGE) {
        faults.push(
          `${describe(element)} is outside: ${[left, top, right, bottom].map(Math.round).join(", ")}`,
        );
        continue;
      }
      // A link within a sentence has the size of its words.
      const isInline = style.display === "inline";
      // A finger drags the edge of a panel along its whole length.
      const side = element.matches("[role=separator]") ? 24 : minSide;
      if (!isInline && Math.min(width, height) < side - EDGE) {
        faults.push(`${describe(element)} is small: ${width.toFixed(0)} × ${height.toFixed(0)}`);
      }
      const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      const isHit = hit !== null && (target.contains(hit) || hit.contains(target));
      const isOfToast = hit?.closest("[data-testid=toast]") != null;
      if (!isHit && !isOfToast && !isInline && !element.matches(":disabled")) {
        faults.push(`${describe(element)} is covered by ${hit ? describe(hit) : "nothing"}`);
      }
    }
    // What lies over the tiles, and what stands above them.
    const boxes = (selector: string) =>
      [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
    /** The part of an element's box that what it scrolls in leaves in sight. */
    const seenBox = (element: Element) => {
      let { left, right, top, bottom } = element.getBoundingClientRect();
      for (let place = element.parentElement; place; place = place.parentElement) {
        if (getComputedStyle(place).overflowY === "visible") continue;
        const edge = place.getBoundingClientRect();
        left = Math.max(left, edge.left);
        right = Math.min(right, edge.right);
        top = Math.max(top, edge.top);
        bottom = Math.min(bottom, edge.bottom);
      }
      return { left, right, top, bottom };
    };
    const overlaps = (one: Element, other: Element) => {
      const a = seenBox(one);
      const b = seenBox(other);
      const isApart =
        a.right <= b.left + 1 ||
        b.right <= a.left + 1 ||
        a.bottom <= b.top + 1 ||
        b.bottom <= a.top + 1;
      const isAway = [one, other].some((each) => getComputedStyle(each).visibility === "hidden");
      return !isApart && !isAway;
    };
    // A pin appears under a pointer, which then is no longer on the toast.
    const isShown = (element: Element) => element.checkVisibility({ opacityProperty: true });
    const BANNER = "[data-testid$=banner], [data-testid=reconnecting], [data-hint]";
    const PARTS = `${BANNER}, [data-testid=toast], [data-testid=previous-page], [data-testid=next-page], [data-testid=badge], [data-testid=pin], [data-testid=tile] [class*=state], li[class*=floating]`;
    const parts = modal ? [] : boxes(PARTS).filter(isShown);
    for (const [i, one] of parts.entries()) {
      for (const other of parts.slice(i + 1)) {
        const isWithin = one.contains(other) || other.contains(one);
        if (!isWithin && overlaps(one, other)) {
          faults.push(`${describe(one)} lies over ${describe(other)}`);
        }
      }
    }
    for (const one of modal ? [] : boxes(BANNER)) {
      for (const other of boxes("[data-testid=tile]")) {
        if (overlaps(one, other)) faults.push(`${describe(one)} lies over ${describe(other)}`);
      }
    }
    // Words that are cut off without an ellipsis.
    for (const element of (modal ?? document).querySelectorAll<HTMLElement>(
      "button, a[href], label, h1, h2, h3, p, summary, [role=tab], [role^=menuitem]",
    )) {
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (element.closest("[data-testid=tile]") || isForScreenReaders(element)) continue;
      const { overflowX, textOverflow, display } = getComputedStyle(element);
      if (display === "inline" || textOverflow === "ellipsis" || element.clientWidth === 0)
        continue;
      const isClipped = element.scrollWidth > element.clientWidth + 1;
      if (
        isClipped &&
        overflowX !== "auto" &&
        overflowX !== "scroll" &&
        !element.querySelector("svg, [class*=tip], [class*=count], video")
      ) {
        faults.push(
          `${describe(element)} is ${element.scrollWidth - element.clientWidth} px too wide for its place`,
        );
      }
    }
    for (const toast of boxes("[data-testid=toast]")) {
      const { height } = toast.getBoundingClientRect();
      const share = height / innerHeight;
      if (share > 0.2) faults.push(`a toast has ${Math.round(share * 100)} % of the height`);
      const text = toast.querySelector("[class*=text]");
      if (!text) throw new Error("a toast without text");
      const lines = text.clientHeight / Number.parseFloat(getComputedStyle(text).lineHeight);
      if (lines > 2.1) faults.push(`a toast has ${lines.toFixed(1)} lines`);
    }
    return faults;
  }, minSide);
}

/** In forced colours: the controls that nothing but their ground marked as such. */
export async function bordersMissing(page: Page): Promise<string[]> {
  await page.emulateMedia({ forcedColors: "active" });
  const missing = await page.evaluate(() => {
    const controls = document.querySelectorAll<HTMLElement>(
      "button:not([role^=menuitem]), select, textarea, input:not([type=radio], [type=checkbox], [type=range])",
    );
    return [...controls].flatMap((control) => {
      const style = getComputedStyle(control);
      const isShown = control.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      const hasBorder =
        (style.borderBottomStyle !== "none" && Number.parseFloat(style.borderBottomWidth) >= 1) ||
        (style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 1);
      if (!isShown || hasBorder) return [];
      const name = control.getAttribute("aria-label") ?? control.textContent?.trim() ?? "";
      return [
        `“${name.slice(0, 40)}” (${control.dataset.testid ?? control.className}) has no border`,
      ];
    });
  });
  await page.emulateMedia({ forcedColors: null });
  return missing;
}

/**
 * Makes every text of the page 40 % longer and reads the page from right to left, as with a language
 * that moim does not have yet.
 */
export async function pseudoLocalize(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.documentElement.dir = "rtl";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.nodeValue?.trim() ?? "";
      if (text === "" || node.parentElement?.closest("style, script, textarea")) continue;
      if (node.parentElement?.hasAttribute("data-pseudo")) continue;
      node.parentElement?.setAttribute("data-pseudo", "");
      node.nodeValue = `${text}${"~".repeat(Math.ceil(text.length * 0.4))}`;
    }
  });
}
