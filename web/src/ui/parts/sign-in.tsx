import { useEffect, useState } from "react";
import { NOBODY, type PersonSession, personSession, signInAddress } from "../../person.ts";
import { useI18n } from "../i18n/context.tsx";
import { buttonClass } from "./button.tsx";

let asked: Promise<PersonSession> | null = null;

/** The signed-in person; asked once for each load of the page, which every sign-in causes. */
export function usePerson(): PersonSession {
  const [session, setSession] = useState(NOBODY);
  useEffect(() => {
    asked ??= personSession();
    let isMounted = true;
    void asked.then((found) => isMounted && setSession(found));
    return () => {
      isMounted = false;
    };
  }, []);
  return session;
}

/** Link to the provider, from which the person comes back to this view. Not where nobody can sign in. */
export function SignInLink() {
  const { t } = useI18n();
  const { provider, person } = usePerson();
  if (!provider || person !== null) return null;
  return (
    <a
      className={buttonClass("secondary")}
      href={signInAddress(location.pathname)}
      data-testid="sign-in"
    >
      {t.signIn.button}
    </a>
  );
}
