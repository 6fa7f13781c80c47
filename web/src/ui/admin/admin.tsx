import { useCallback, useEffect, useMemo, useReducer, useRef } from "react";
import { createAdminApi } from "../../admin/admin-api.ts";
import { NOBODY, onceOf, reduceAdmin } from "../../admin/admin-state.ts";
import { Button } from "../parts/button.tsx";
import leadStyles from "../parts/lead.module.css";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { AdminContext } from "./admin-context.ts";
import { Claim } from "./claim.tsx";
import { Shell } from "./shell.tsx";
import styles from "./sign-in.module.css";
import { SignIn } from "./sign-in.tsx";
import { useTexts } from "./texts/index.ts";

/** The view at `/admin`: sign-in, then rooms, calls, the server, access and the log. */
export default function Admin({ section }: { section: string | undefined }) {
  const { t } = useTexts();
  const [state, dispatch] = useReducer(reduceAdmin, NOBODY);
  const api = useMemo(() => createAdminApi(() => dispatch({ type: "expired" })), []);

  const once = useRef<string | null>(null);
  const begin = useCallback(() => {
    // The secret leaves the address bar, and with it the history, before anything is asked.
    const found = onceOf(location.hash);
    if (found) {
      once.current = found;
      history.replaceState(null, "", location.pathname);
    }
    api.session().then(
      (session) => dispatch({ type: "session", session, once: once.current }),
      () => dispatch({ type: "unreachable" }),
    );
  }, [api]);
  useEffect(() => {
    begin();
    // A link that is opened in a tab with this page changes the fragment alone.
    addEventListener("hashchange", begin);
    return () => removeEventListener("hashchange", begin);
  }, [begin]);

  if (state.phase === "signedIn") {
    return (
      <AdminContext value={api}>
        <Shell
          name={state.name}
          section={section}
          onSignOut={() => {
            dispatch({ type: "signedOut" });
            // Whoever is offline forgets the session by closing the browser, or when it ends.
            api.signOut().catch(() => {});
          }}
        />
      </AdminContext>
    );
  }
  return (
    <Page>
      <div className={styles.narrow} data-testid="admin" data-phase={state.phase}>
        {state.phase === "loading" && (
          <ViewTitle document={`${t.title} · moim`} className={leadStyles.title}>
            {t.title}
          </ViewTitle>
        )}
        {state.phase === "unreachable" && (
          <>
            <ViewTitle document={`${t.title} · moim`} className={leadStyles.title}>
              {t.title}
            </ViewTitle>
            <p role="alert">{t.unreachable}</p>
            <Button onClick={begin}>{t.tryAgain}</Button>
          </>
        )}
        {state.phase === "signedOut" &&
          (state.once === null ? (
            <SignIn
              api={api}
              hasAdministrators={state.hasAdministrators}
              hasExpired={state.hasExpired}
              onEntered={(session) => dispatch({ type: "entered", session })}
            />
          ) : (
            <Claim
              api={api}
              once={state.once}
              onEntered={(session) => dispatch({ type: "entered", session })}
            />
          ))}
      </div>
    </Page>
  );
}
