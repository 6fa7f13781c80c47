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
}

/** A round control with an icon. */
export function RoundButton({
  icon,
  label,
  tip,
  keys,
  isBad = false,
  isBusy = false,
  ...rest
}: Props) {
  return (
    <button {...rest} type="button" className={styles.button} aria-label={label} aria-busy={isBusy}>
      <Icon name={icon} />
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
