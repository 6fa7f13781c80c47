import type { FormEvent, ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import styles from "./parts.module.css";

interface Props {
  label: string;
  testId: string;
  isBusy: boolean;
  /** Why the last request failed. */
  failure: string | null;
  onAdd: () => Promise<void>;
  children: ReactNode;
}

/** Fields of something to make, side by side where there is room. */
export function AddForm({ label, testId, isBusy, failure, onAdd, children }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onAdd();
  };
  return (
    <form className={styles.stack} onSubmit={submit}>
      <div className={`${styles.fields} ${styles.wideFields}`}>{children}</div>
      {failure && (
        <p className={styles.failure} role="alert">
          {failure}
        </p>
      )}
      <div>
        <Button type="submit" busy={isBusy} data-testid={testId}>
          {label}
        </Button>
      </div>
    </form>
  );
}
