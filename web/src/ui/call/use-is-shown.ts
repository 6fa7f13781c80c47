import { useEffect, useState } from "react";

/** How long a page has to be hidden to count, in milliseconds: people look elsewhere for a moment. */
const GONE = 10_000;

/** Whether the page is in sight, or has been of late. */
export function useIsShown(): boolean {
  const [isShown, setShown] = useState(true);
  useEffect(() => {
    let timer: number | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") setShown(true);
      else timer = window.setTimeout(() => setShown(false), GONE);
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return isShown;
}
