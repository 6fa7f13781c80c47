import { type FormEvent, useState } from "react";
import type { AdminApi } from "../../admin/admin-api.ts";
import { AdminError } from "../../admin/admin-error.ts";
import type { AdminSession } from "../../admin/types.ts";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import leadStyles from "../parts/lead.module.css";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./sign-in.module.css";
import { type Texts, useTexts } from "./texts/index.ts";

interface Props {
  api: AdminApi;
  hasAdministrators: boolean;
  hasExpired: boolean;
  onEntered: (session: AdminSession) => void;
}

/** Name and password; or, before the first administrator, how there comes to be one. */
export function SignIn({ api, hasAdministrators, hasExpired, onEntered }: Props) {
  const { t } = useTexts();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(null);
    try {
      onEntered(await api.signIn(name, password));
    } catch (failed) {
      setPassword("");
      setError(signInError(failed, t));
      setBusy(false);
    }
  };

  return (
    <>
      <div>
        <ViewTitle document={`${t.signIn.title} · ${t.title} · moim`} className={leadStyles.title}>
          {t.signIn.title}
        </ViewTitle>
        <p className={leadStyles.lead}>{t.signIn.lead}</p>
      </div>
      {hasExpired && <Alert tone="info" title={t.signIn.expired} />}
      {hasAdministrators ? (
        <form className={styles.card} onSubmit={submit}>
          <TextField
            label={t.signIn.name}
            value={name}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            data-testid="admin-name"
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            label={t.signIn.password}
            type="password"
            value={password}
            autoComplete="current-password"
            required
            error={error}
            data-testid="admin-password"
            onChange={(event) => setPassword(event.target.value)}
          />
          <Button variant="primary" type="submit" busy={isBusy} data-testid="admin-sign-in">
            {isBusy ? t.signIn.submitting : t.signIn.submit}
          </Button>
        </form>
      ) : (
        <Alert tone="info" title={t.signIn.nobody} testId="admin-nobody">
          <p>{t.signIn.nobodyHint}</p>
          <Command />
        </Alert>
      )}
      {hasAdministrators && (
        <div className={styles.note}>
          <p>{t.signIn.forgot}</p>
          <Command />
        </div>
      )}
    </>
  );
}

/** The command that makes a link. */
export function Command() {
  return <code className={styles.command}>moim ctl admin link</code>;
}

function signInError(error: unknown, t: Texts): string {
  if (!(error instanceof AdminError)) throw error;
  if (error.code === "wrong_password") return t.signIn.wrong;
  if (error.code === "rate_limited") return t.signIn.tooMany;
  return t.failed(error.message);
}
