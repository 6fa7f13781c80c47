import { useEffect, useState } from "react";
import { signOut } from "../../person.ts";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { SignInLink, usePerson } from "../parts/sign-in.tsx";
import styles from "./person.module.css";

/** The person who has signed in, or the way to sign in; nothing where nobody can. */
export function PersonRow() {
  const { t } = useI18n();
  const { provider, person } = usePerson();
  const [isBusy, setBusy] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const failure = useFailure();
  if (!provider && !failure) return null;
  return (
    <div className={styles.row}>
      {failure ? <Alert tone="warning" title={failure} testId="sign-in-error" /> : null}
      {isRefused ? (
        <Alert tone="warning" title={t.signIn.signOutFailed} testId="sign-out-error" />
      ) : null}
      {person === null ? (
        <SignInLink />
      ) : (
        <>
          <span className={styles.name} data-testid="person">
            {t.signIn.signedInAs(person)}
          </span>
          <Button
            variant="plain"
            busy={isBusy}
            data-testid="sign-out"
            onClick={async () => {
              setBusy(true);
              setRefused(false);
              const next = await signOut();
              // Loaded anew, so that the connection is nobody's either.
              if (next !== null) location.assign(next);
              else setRefused(true);
              setBusy(false);
            }}
          >
            {t.signIn.signOut}
          </Button>
        </>
      )}
    </div>
  );
}

/** The reason for which a sign-in failed, told once: a reload doesn't repeat it. */
function useFailure(): string | null {
  const { t } = useI18n();
  const [code] = useState(() => new URLSearchParams(location.search).get("sign-in"));
  useEffect(() => {
    if (code !== null) history.replaceState(history.state, "", location.pathname);
  }, [code]);
  if (code === null) return null;
  const texts: Record<string, string> = t.signIn.errors;
  return Object.hasOwn(texts, code) ? (texts[code] ?? null) : t.signIn.errors.failed;
}
