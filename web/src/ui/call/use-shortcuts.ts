import type { LocalMedia } from "moim-client";
import { useEffect, useRef } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useClient } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { toggleCamera, toggleMic } from "../parts/media-toggles.tsx";
import { type Shortcut, shortcutOf } from "../parts/shortcuts.ts";
import { isMac } from "../platform.ts";

/** Targets of the shortcuts that are not about devices. */
interface ShortcutTargets {
  /** To the control bar. */
  bar: () => void;
  /** To the list of shortcuts. */
  help: () => void;
}

/** Keyboard shortcuts of a call. `maySpeak`: the room permits a microphone and a camera. */
export function useShortcuts(maySpeak: boolean, targets: ShortcutTargets): void {
  const { t } = useI18n();
  const { media } = useClient();
  const announce = useAnnounce();
  const latest = useRef(targets);
  latest.current = targets;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event, isMac, isField(event.target));
      if (!shortcut) return;
      event.preventDefault();
      if (shortcut === "bar" || shortcut === "help") latest.current[shortcut]();
      else announce(carryOut(shortcut, media, maySpeak, t));
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [media, maySpeak, announce, t]);
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches("input, textarea, select");
}

/** Carries out a shortcut about a device and returns what has happened, in words. */
export function carryOut(
  shortcut: Exclude<Shortcut, keyof ShortcutTargets>,
  media: LocalMedia,
  maySpeak: boolean,
  { announcements }: Pick<Messages, "announcements">,
): string {
  if (!maySpeak) return announcements.watchingOnly;
  const { camera, microphone } = media.getSnapshot();
  if (shortcut === "mic") {
    toggleMic(media);
    return microphone.wanted ? announcements.micOff : announcements.micOn;
  }
  toggleCamera(media);
  return camera.wanted ? announcements.cameraOff : announcements.cameraOn;
}
