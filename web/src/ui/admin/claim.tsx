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
import { Command } from "./sign-in.tsx";
import { useTexts } from "./texts/index.ts";

/** As on the server. */
const MIN_PASSWORD_CHARS = 10;

type Problem = "name" | "short" | "different" | "link" | { other: string };

interface Props {
  api: AdminApi;
  /** The secret of the one-time link. */
  once: string;
  onEntered: (session: AdminSession) => void;
}

/** Name and password for whoever came by a one-time link. */
export function Claim({ api, once, onEntered }: Props) {
  const { t } = useTexts();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy) return;
    const found = problemOf(name, password, again);
    setProblem(found);
    if (found) return;
    setBusy(true);
    try {
      onEntered(await api.claim(once, name, password));
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      setProblem(error.code === "bad_link" ? "link" : { other: error.message });
      setBusy(false);
    }
  };

  return (
    <>
      <div>
        <ViewTitle document={`${t.claim.title} · moim`} className={leadStyles.title}>
          {t.claim.title}
        </ViewTitle>
        <p className={leadStyles.lead}>{t.claim.lead}</p>
      </div>
      {problem === "link" ? (
        <Alert tone="warning" title={t.claim.badLink} testId="admin-bad-link">
          <Command />
        </Alert>
      ) : (
        <form className={styles.card} onSubmit={submit} noValidate>
          <TextField
            label={t.signIn.name}
            value={name}
            maxLength={64}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            error={problem === "name" ? t.claim.nameMissing : null}
            data-testid="admin-name"
            onChange={(event) => setName(event.target.value)}
          />
          <TextField
            label={t.claim.password}
            hint={t.claim.passwordHint}
            type="password"
            value={password}
            autoComplete="new-password"
            error={problem === "short" ? t.claim.short : null}
            data-testid="admin-password"
            onChange={(event) => setPassword(event.target.value)}
          />
          <TextField
            label={t.claim.again}
            type="password"
            value={again}
            autoComplete="new-password"
            error={problem === "different" ? t.claim.different : null}
            data-testid="admin-password-again"
            onChange={(event) => setAgain(event.target.value)}
          />
          {problem !== null && typeof problem === "object" && (
            <Alert tone="warning" title={t.failed(problem.other)} />
          )}
          <Button variant="primary" type="submit" busy={isBusy} data-testid="admin-claim">
            {t.claim.submit}
          </Button>
        </form>
      )}
    </>
  );
}

function problemOf(name: string, password: string, again: string): Problem | null {
  if (!name.trim()) return "name";
  if ([...password].length < MIN_PASSWORD_CHARS) return "short";
  return password === again ? null : "different";
}
