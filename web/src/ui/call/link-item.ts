import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { canShare } from "../platform.ts";
import { roomLink } from "../router.ts";
import type { MoreItem } from "./more.tsx";
import { shareLink } from "./share.ts";

/** The menu's way to send the room's link; `onFailure` shows the link if it can't be copied. */
export function useLinkItem(
  room: string,
  show: (text: string) => void,
  onFailure: () => void,
): MoreItem {
  const { t } = useI18n();
  const announce = useAnnounce();
  if (canShare) {
    return { icon: "share", label: t.controls.share, run: () => void shareLink(room) };
  }
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(roomLink(room));
      show(t.controls.copied);
      announce(t.controls.copied);
    } catch {
      onFailure();
    }
  };
  return {
    icon: "link",
    label: t.controls.copyLink,
    testId: "copy-link",
    run: () => void copy(),
  };
}
