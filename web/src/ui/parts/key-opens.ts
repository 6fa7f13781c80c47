import type { KeyboardEvent } from "react";

/**
 * Key handler of a button that opens a menu: arrows up and down open it too, as those of the system
 * do. `isLast` tells that the last choice is to get the focus. With `isByPress` it opens for Enter and
 * Space as well, before the click of these keys.
 */
export function keyOpens(open: (isLast: boolean) => void, isByPress = false) {
  return (event: KeyboardEvent<HTMLElement>): void => {
    const { key, altKey, ctrlKey, metaKey, shiftKey, repeat } = event;
    if (altKey || ctrlKey || metaKey || shiftKey || repeat) return;
    const isArrow = key === "ArrowDown" || key === "ArrowUp";
    if (!isArrow && !(isByPress && (key === "Enter" || key === " "))) return;
    event.preventDefault();
    open(key === "ArrowUp");
  };
}
