import { useI18n } from "../i18n/context.tsx";
import { shareLink } from "../invite/share.ts";
import { useCopy } from "../invite/use-copy.ts";
import { canShare } from "../platform.ts";
import { roomLink } from "../router.ts";
import type { MoreItem } from "./more.tsx";

/** The menu's way to send the room's link; `onFailure` shows the link if it can't be copied. */
export function useLinkItem(
  room: string,
  show: (text: string) => void,
  onFailure: () => void,
): MoreItem {
  const { t } = useI18n();
  const link = roomLink(room);
  const { copy } = useCopy(link);
  if (canShare) {
    return { icon: "share", label: t.controls.share, run: () => void shareLink(room, link) };
  }
  const run = async () => {
    if (await copy()) show(t.controls.copied);
    else onFailure();
  };
  return { icon: "link", label: t.controls.copyLink, testId: "copy-link", run: () => void run() };
}
