import { type RefObject, useSyncExternalStore } from "react";

/** iPhones have no full screen for elements. */
export const canFillScreen = typeof document !== "undefined" && document.fullscreenEnabled === true;

function subscribe(changed: () => void): () => void {
  document.addEventListener("fullscreenchange", changed);
  return () => document.removeEventListener("fullscreenchange", changed);
}

/** True while an element, or the page, fills the screen; with the function that changes it. */
export function useFullScreen(ref?: RefObject<HTMLElement | null>): [boolean, () => void] {
  const target = () => (ref ? ref.current : document.documentElement);
  const isFull = useSyncExternalStore(
    subscribe,
    () => document.fullscreenElement !== null && document.fullscreenElement === target(),
  );
  const toggle = () => {
    const change = isFull ? document.exitFullscreen() : target()?.requestFullscreen();
    // Refused by the browser or the system: the window stays as it is.
    change?.catch(() => {});
  };
  return [isFull, toggle];
}
