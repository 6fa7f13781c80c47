import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import styles from "./people.module.css";

/** A button that asks once more before it does what can't be undone. */
export function Confirmed({
  label,
  why,
  testId,
  onConfirm,
}: {
  label: string;
  why: string;
  testId: string;
  onConfirm: () => void;
}) {
  const { t } = useI18n();
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button
        type="button"
        className={`${styles.action} ${styles.danger}`}
        data-testid={testId}
        onClick={() => setAsking(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <div className={styles.confirm} role="alert">
      <span>{why}</span>
      <span className={styles.choices}>
        <button type="button" className={styles.action} onClick={() => setAsking(false)}>
          {t.people.cancel}
        </button>
        <button
          type="button"
          // The question replaced the button that had the focus.
          // biome-ignore lint/a11y/noAutofocus: it follows a click on the same place.
          autoFocus
          className={`${styles.action} ${styles.danger}`}
          data-testid={`${testId}-confirm`}
          onClick={onConfirm}
        >
          {label}
        </button>
      </span>
    </div>
  );
}
