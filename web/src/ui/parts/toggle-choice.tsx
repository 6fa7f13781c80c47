import type { ReactNode } from "react";
import styles from "./toggle-choice.module.css";

interface Props {
  checked: boolean;
  hint?: ReactNode;
  disabled?: boolean;
  testId: string;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}

/** A checkbox with its label and a hint. */
export function ToggleChoice({
  checked,
  hint,
  disabled = false,
  testId,
  onChange,
  children,
}: Props) {
  return (
    <label className={styles.choice}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        data-testid={testId}
        onChange={({ target }) => onChange(target.checked)}
      />
      <span>
        {children}
        {hint ? <span className={styles.hint}>{hint}</span> : null}
      </span>
    </label>
  );
}
