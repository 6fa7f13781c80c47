/** Copying a text to the clipboard, with feedback. */
import { useEffect, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";

/** Time for which the button confirms the copy. */
const COPIED_MS = 2500;

/**
 * Copies a link; `copy` returns whether it worked. `isCopied` stays true for a while; `hasFailed` if
 * the browser refuses.
 */
export function useCopy(link: string) {
  const { t } = useI18n();
  const announce = useAnnounce();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), COPIED_MS);
    return () => clearTimeout(timer);
  }, [state]);
  async function copy(): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(link);
      setState("copied");
      announce(t.controls.copied);
      return true;
    } catch {
      setState("failed");
      return false;
    }
  }
  return {
    isCopied: state === "copied",
    hasFailed: state === "failed",
    copy,
    reset: () => setState("idle"),
  };
}
