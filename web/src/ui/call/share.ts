/** Copying and sharing the room's link. */
import { useEffect, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { roomLink } from "../router.ts";

/** Time for which the button confirms the copy. */
const COPIED_MS = 2500;

/** Copies the room's link, or another one. `isCopied` stays true for a while; `hasFailed` if the browser refuses. */
export function useCopyLink(room: string, link = roomLink(room)) {
  const { t } = useI18n();
  const announce = useAnnounce();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), COPIED_MS);
    return () => clearTimeout(timer);
  }, [state]);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(link);
      setState("copied");
      announce(t.controls.copied);
    } catch {
      setState("failed");
    }
  }
  return {
    isCopied: state === "copied",
    hasFailed: state === "failed",
    copy,
    reset: () => setState("idle"),
  };
}

/** Opens the system's share sheet. Dismissing it is not an error. */
export async function shareLink(room: string): Promise<void> {
  try {
    await navigator.share({ title: room, url: roomLink(room) });
  } catch {
    // Dismissed.
  }
}
