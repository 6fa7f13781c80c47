/** Handing the room's link on. */
import { useEffect, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useSpeech } from "../i18n/context.tsx";
import { roomLink } from "../router.ts";

/** How long the button says that it copied, in milliseconds. */
const COPIED_FOR = 2500;

/** Copies the link; `isCopied` for a while after, `failed` where the browser wouldn't. */
export function useCopyLink(room: string) {
  const { t } = useSpeech();
  const announce = useAnnounce();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), COPIED_FOR);
    return () => clearTimeout(timer);
  }, [state]);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(roomLink(room));
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
    forget: () => setState("idle"),
  };
}

/** The phone's own way to send a link; changing one's mind is no error. */
export async function shareLink(room: string): Promise<void> {
  try {
    await navigator.share({ title: room, url: roomLink(room) });
  } catch {
    // Closed without choosing anybody.
  }
}
