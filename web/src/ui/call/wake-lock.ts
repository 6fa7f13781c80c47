import { useEffect } from "react";

/** Keeps the screen of a phone awake during a call, where the browser can. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isOver = false;
    const hold = async () => {
      if (isOver || document.visibilityState !== "visible") return;
      try {
        const held = await navigator.wakeLock?.request("screen");
        if (isOver) await held?.release();
        else lock = held ?? null;
      } catch {
        // Refused on low battery: the screen will sleep, the call goes on.
      }
    };
    // The browser lets go whenever the page is hidden.
    document.addEventListener("visibilitychange", hold);
    void hold();
    return () => {
      isOver = true;
      document.removeEventListener("visibilitychange", hold);
      void lock?.release().catch(() => {});
    };
  }, []);
}
