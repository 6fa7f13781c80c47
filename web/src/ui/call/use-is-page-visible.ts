import { useEffect, useState } from "react";

/** Time after which a hidden page counts as hidden: people switch tabs for a moment. */
const HIDDEN_AFTER_MS = 10_000;

/** Returns true while the page is visible, and for `HIDDEN_AFTER_MS` after. */
export function useIsPageVisible(): boolean {
  const [isPageVisible, setPageVisible] = useState(true);
  useEffect(() => {
    let timer: number | undefined;
    const update = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") setPageVisible(true);
      else timer = window.setTimeout(() => setPageVisible(false), HIDDEN_AFTER_MS);
    };
    document.addEventListener("visibilitychange", update);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", update);
    };
  }, []);
  return isPageVisible;
}
