import type { CallState } from "moim-client";
import { useEffect, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { preferences } from "../preferences.ts";
import { type DesktopNotice, desktopNotices } from "./desktop-notices.ts";

/** Phones show notifications of pages only through a service worker, which this page has none of. */
export const hasDesktopNotices =
  typeof Notification === "function" && !matchMedia("(pointer: coarse)").matches;

/** Asks whether the system may show notices; false if it may not. */
export async function askForDesktopNotices(): Promise<boolean> {
  return (await Notification.requestPermission()) === "granted";
}

/** Has the system show what is new while the page is hidden, if the user wants it. */
export function useDesktopNotices(
  state: CallState,
  onOpen: (panel: DesktopNotice["panel"]) => void,
): void {
  const { t } = useI18n();
  const previous = useRef(state);
  const latestOnOpen = useRef(onOpen);
  latestOnOpen.current = onOpen;
  const shown = useRef(new Set<Notification>());
  useEffect(() => {
    const before = previous.current;
    previous.current = state;
    if (before === state || !isWanted()) return;
    for (const { panel, text } of desktopNotices(before, state, t)) {
      // The next one of its kind replaces it.
      const tag = `moim ${state.room.name} ${panel}`;
      const notice = new Notification(state.room.name, {
        body: text,
        tag,
        icon: "/icons/icon-192.png",
      });
      shown.current.add(notice);
      notice.onclick = () => {
        window.focus();
        latestOnOpen.current(panel);
        notice.close();
      };
    }
  }, [state, t]);
  useEffect(() => {
    const notices = shown.current;
    const close = () => {
      for (const notice of notices) notice.close();
      notices.clear();
    };
    const onVisible = () => {
      if (document.visibilityState === "visible") close();
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      close();
    };
  }, []);
}

function isWanted(): boolean {
  return (
    hasDesktopNotices &&
    preferences.read("toldOutside") === "on" &&
    Notification.permission === "granted" &&
    document.visibilityState === "hidden"
  );
}
