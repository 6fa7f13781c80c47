import { useEffect } from "react";

/** Keeps the screen awake during a call, if the browser supports it. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isOver = false;
    const request = async () => {
      if (isOver || document.visibilityState !== "visible") return;
      try {
        const granted = await navigator.wakeLock?.request("screen");
        if (isOver) await granted?.release();
        else lock = granted ?? null;
      } catch {
        // Denied on low battery: the screen will sleep, the call continues.
      }
    };
    // The browser releases the lock whenever the page is hidden.
    document.addEventListener("visibilitychange", request);
    void request();
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", request);
      void lock?.release().catch(() => {});
    };
  }, []);
}
