/** The places to which Tab leads within an element, in order. */

const FOCUSABLE =
  "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1'])";

export function tabStopsOf(place: HTMLElement): HTMLElement[] {
  return [...place.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (element) =>
      element.tabIndex >= 0 &&
      !element.matches(":disabled, [inert] *") &&
      element.checkVisibility({ visibilityProperty: true }),
  );
}

/** The focused element is that stop, or another radio button of its group, which is one stop. */
export function isTabStop(focused: HTMLElement, stop: HTMLElement): boolean {
  if (focused === stop) return true;
  return isRadio(focused) && isRadio(stop) && focused.name === stop.name;
}

function isRadio(element: HTMLElement): element is HTMLInputElement {
  return element instanceof HTMLInputElement && element.type === "radio";
}
