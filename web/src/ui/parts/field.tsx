import { type ComponentProps, type ReactNode, useId } from "react";
import styles from "./field.module.css";
import { Icon, type IconName } from "./icon.tsx";

interface TextProps extends Omit<ComponentProps<"input">, "id" | "className"> {
  label: string;
  hint?: ReactNode;
  /** What is wrong with what was typed; read out at once. */
  wrong?: string | null;
}

/** A labelled text field with its hint and its complaint. */
export function TextField({ label, hint, wrong, ...input }: TextProps) {
  const id = useId();
  const about = wrong ? `${id}-wrong` : hint ? `${id}-hint` : undefined;
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input
        {...input}
        id={id}
        className={styles.input}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={about}
      />
      {wrong ? (
        <p id={`${id}-wrong`} className={styles.wrong} role="alert">
          {wrong}
        </p>
      ) : hint ? (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

interface SelectProps extends Omit<ComponentProps<"select">, "id" | "className" | "onChange"> {
  label: string;
  icon: IconName;
  /** The label is read, not shown, where the icon and the value tell enough. */
  bare?: boolean;
  /** Without a frame, where it is beside the matter. */
  quiet?: boolean;
  onPick: (value: string) => void;
}

/** The platform's own list of choices: the most accessible one, and the best on phones. */
export function Select({
  label,
  icon,
  bare = false,
  quiet = false,
  onPick,
  children,
  ...select
}: SelectProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      {bare ? null : (
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
      )}
      <div className={`${styles.picker} ${quiet ? styles.quiet : ""}`}>
        <span className={styles.before}>
          <Icon name={icon} size={20} />
        </span>
        <select
          {...select}
          id={id}
          className={styles.select}
          aria-label={bare ? label : undefined}
          onChange={(event) => onPick(event.target.value)}
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
