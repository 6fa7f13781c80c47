import { type ComponentProps, useId } from "react";
import { Icon, type IconName } from "./icon.tsx";
import styles from "./round-button.module.css";

interface Props extends Omit<ComponentProps<"button">, "children" | "className"> {
  icon: IconName;
  /** Accessible name; the same in both states of a toggle. */
  label: string;
  /** Effect of pressing it, shown on hover and focus; defaults to the label. */
  tooltip?: string;
  /** Keyboard shortcut, shown in the tooltip. */
  shortcut?: string;
  /** Problem of the device that it controls. */
  problem?: string | null;
  /** The requested change is in progress. */
  isBusy?: boolean;
  /** Highlights the "on" state instead of the "off" state. */
  isOffByDefault?: boolean;
  /** Count shown as a badge, such as unread messages. */
  count?: number;
  /** The count is no news. */
  isCountCalm?: boolean;
}

/** A round icon button with a tooltip. */
export function RoundButton({
  icon,
  label,
  tooltip,
  shortcut,
  problem = null,
  isBusy = false,
  isOffByDefault = false,
  count = 0,
  isCountCalm = false,
  ...rest
}: Props) {
  const id = useId();
  return (
    <button
      {...rest}
      type="button"
      className={`${styles.button} ${isOffByDefault ? styles.offByDefault : ""}`}
      aria-label={label}
      aria-busy={isBusy}
      aria-describedby={problem === null ? undefined : id}
    >
      <Icon name={icon} />
      {count > 0 ? (
        <span
          className={isCountCalm ? `${styles.count} ${styles.calm}` : styles.count}
          aria-hidden="true"
        >
          {count > 99 ? "99+" : count}
        </span>
      ) : null}
      {problem === null ? null : (
        <span className={styles.problem}>
          <Icon name="alert" size={14} />
          <span id={id} hidden>
            {problem}
          </span>
        </span>
      )}
      <span className={styles.tooltip} aria-hidden="true">
        {problem ?? tooltip ?? label}
        {shortcut ? <kbd>{shortcut}</kbd> : null}
      </span>
    </button>
  );
}
