import { useEffect } from "react";
import { forgetCall, type KeptCall, keepCall, tabStorage } from "./kept-call.ts";

/** Often enough that the time is known of a page that crashes. */
const INTERVAL_MS = 20_000;

/** Keeps the call in the tab until it is left; null while there is none. */
export function useKeptCall(call: KeptCall | null): void {
  const { room, name, password } = call ?? {};
  useEffect(() => {
    if (room === undefined || name === undefined || password === undefined) return;
    const keep = () => keepCall(tabStorage(), { room, name, password }, Date.now());
    keep();
    const timer = setInterval(keep, INTERVAL_MS);
    addEventListener("pagehide", keep);
    return () => {
      clearInterval(timer);
      removeEventListener("pagehide", keep);
      forgetCall(tabStorage());
    };
  }, [room, name, password]);
}
