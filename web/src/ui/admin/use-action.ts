import { useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useTexts } from "./texts/index.ts";

export interface Action {
  isBusy: boolean;
  /** Why the last one did not work. */
  error: string | null;
  /** Runs one action at a time; says that it is done. Resolves to false if it has failed. */
  run: (act: () => Promise<unknown>, done?: string) => Promise<boolean>;
}

/** An action on the server, and its outcome. */
export function useAction(): Action {
  const { t } = useTexts();
  const announce = useAnnounce();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  return {
    isBusy,
    error,
    run: async (act, done) => {
      if (isBusy) return false;
      setBusy(true);
      setError(null);
      try {
        await act();
        if (done) announce(done);
        return true;
      } catch (failed) {
        setError(t.failed(failed instanceof Error ? failed.message : String(failed)));
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
