import { RequestError } from "moim-client";
import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";

/** Carries out a request and shows its failure. */
export type Act = (request: Promise<void>) => void;

/** An `Act`, and the failure of its last request in words. */
export function useAct(): { act: Act; failure: string | null } {
  const { t } = useI18n();
  const [failure, setFailure] = useState<string | null>(null);
  const act: Act = (request) => {
    setFailure(null);
    request.catch((error: unknown) => {
      const code = error instanceof RequestError ? error.code : null;
      if (code === "forbidden") setFailure(t.people.forbidden);
      else setFailure(code === "not_saved" ? t.people.notSaved : t.people.failed);
    });
  };
  return { act, failure };
}
