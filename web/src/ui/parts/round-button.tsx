import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";
import styles from "./round-button.module.css";

interface Props extends Omit<ComponentProps<"button">, "children" | "className"> {
  icon: IconName;
  /** What it is called; a switch keeps its name in both states. */
  label: string;
  /** What pressing it does, shown on hover and focus; the label otherwise. */
  tip?: string;
  /** Its key, shown beside. */
  keys?: string;
  /** Something is wrong with what it controls. */
  isBad?: boolean;
  /** What it asked for is under way. */
  isBusy?: boolean;
  /** Off is how it usually is, so it is on that stands out. */
  isExtra?: boolean;
  /** How many there are of what it opens. */
  count?: number;
}

/** A round control with an icon. */
export function RoundButton({
  icon,
  label,
  tip,
  keys,
  isBad = false,
  isBusy = false,
  isExtra = false,
  count = 0,
  ...rest
}: Props) {
  return (
    <button
      {...rest}
      type="button"
      className={`${styles.button} ${isExtra ? styles.extra : ""}`}
      aria-label={label}
      aria-busy={isBusy}
    >
      <Icon name={icon} />
      {count > 0 ? (
        <span className={styles.count} aria-hidden="true">
          {count > 99 ? "99+" : count}
        </span>
      ) : null}
      {isBad ? (
        <span className={styles.bad}>
          <Icon name="alert" size={14} />
        </span>
      ) : null}
      <span className={styles.tip} aria-hidden="true">
        {tip ?? label}
        {keys ? <kbd>{keys}</kbd> : null}
      </span>
    </button>
  );
}
