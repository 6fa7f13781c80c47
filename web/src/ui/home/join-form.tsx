import { type FormEvent, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { TextField } from "../parts/field.tsx";
import { navigate } from "../router.ts";
import { type Destination, parseDestination } from "./destination.ts";
import styles from "./join-form.module.css";

/** Field for a link, also one with an invitation, or for a room's name. */
export function JoinForm() {
  const { t } = useI18n();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<Exclude<Destination, { kind: "room" }> | null>(null);
  function join(event: FormEvent) {
    event.preventDefault();
    const destination = parseDestination(text, location.origin);
    if (destination.kind === "room") navigate(destination.path);
    else setProblem(destination);
  }
  return (
    <form className={styles.form} onSubmit={join}>
      <div className={styles.row}>
        <TextField
          label={t.reach.join.label}
          placeholder={t.reach.join.placeholder}
          value={text}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="go"
          error={problem?.kind === "none" ? t.reach.join.nowhere : null}
          data-testid="join-link"
          onChange={(event) => {
            setText(event.target.value);
            setProblem(null);
          }}
        />
        <Button type="submit" data-testid="join-by-link">
          {t.reach.join.submit}
        </Button>
      </div>
      {problem?.kind === "elsewhere" ? (
        <Alert tone="info" title={t.reach.join.elsewhere(problem.host)} testId="join-elsewhere">
          <a className={styles.elsewhere} href={problem.url} rel="noreferrer">
            {t.reach.join.goElsewhere(problem.host)}
          </a>
        </Alert>
      ) : null}
    </form>
  );
}
