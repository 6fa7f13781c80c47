import { type Ref, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import styles from "./people.module.css";

interface Props {
  label: string;
  why: string;
  /** Tooltip of the reason, where a name in it is cut. */
  title?: string;
  testId: string;
  onConfirm: () => void;
}

/** A button that asks once more before it does what can't be undone. */
export function Confirmed({ label, why, testId, onConfirm }: Props) {
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
    <Question
      label={label}
      why={why}
      testId={testId}
      onConfirm={onConfirm}
      onCancel={() => setAsking(false)}
    />
  );
}

/** Asks before something that can't be undone is done. The button takes the focus unless it has a ref. */
export function Question({
  label,
  why,
  title,
  testId,
  onConfirm,
  onCancel,
  button,
}: Props & { onCancel: () => void; button?: Ref<HTMLButtonElement> }) {
  const { t } = useI18n();
  return (
    <div className={styles.confirm} role="alert">
      <span title={title}>{why}</span>
      <span className={styles.choices}>
        <button type="button" className={styles.action} onClick={onCancel}>
          {t.people.cancel}
        </button>
        <button
          ref={button}
          type="button"
          // The question replaced the button that had the focus.
          // biome-ignore lint/a11y/noAutofocus: it follows a click on the same place.
          autoFocus={button === undefined}
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
