import { type ComponentProps, type ReactNode, useId } from "react";
import styles from "./field.module.css";
import { Icon, type IconName } from "./icon.tsx";

interface TextProps extends Omit<ComponentProps<"input">, "id" | "className"> {
  label: string;
  hint?: ReactNode;
  /** Validation error, announced at once. */
  error?: string | null;
  /** Secondary: in one line with its label. */
  isQuiet?: boolean;
}

/** A labelled text field with a hint or an error. */
export function TextField({ label, hint, error, isQuiet = false, ...input }: TextProps) {
  const id = useId();
  const description = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div className={isQuiet ? `${styles.field} ${styles.quiet}` : styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input
        {...input}
        id={id}
        className={styles.input}
        aria-invalid={error ? true : undefined}
        aria-describedby={description}
      />
      {error ? (
        <p id={`${id}-error`} className={styles.error} role="alert">
          {error}
        </p>
      ) : hint ? (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

interface SelectProps
  extends Omit<ComponentProps<"select">, "id" | "className" | "onChange" | "onSelect"> {
  label: string;
  icon: IconName;
  /** Hides the label visually if icon and value are clear enough. */
  hideLabel?: boolean;
  /** Draws no border. */
  borderless?: boolean;
  onSelect: (value: string) => void;
}

/** Native `<select>`: the most accessible choice, and the best on phones. */
export function Select({
  label,
  icon,
  hideLabel = false,
  borderless = false,
  onSelect,
  children,
  ...select
}: SelectProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      {hideLabel ? null : (
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
      )}
      <div className={`${styles.picker} ${borderless ? styles.borderless : ""}`}>
        <span className={styles.before}>
          <Icon name={icon} size={20} />
        </span>
        <select
          {...select}
          id={id}
          className={styles.select}
          aria-label={hideLabel ? label : undefined}
          onChange={(event) => onSelect(event.target.value)}
        >
          {children}
        </select>
        <span className={styles.after}>
          <Icon name="down" size={16} />
        </span>
      </div>
    </div>
  );
}
