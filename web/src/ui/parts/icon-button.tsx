import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";
import styles from "./icon-button.module.css";

interface Props extends Omit<ComponentProps<"button">, "children" | "className"> {
  icon: IconName;
  /** Accessible name. */
  label: string;
  iconSize?: number;
  /** Its words below it while it is pointed at or focused. */
  tip?: string;
  /** Softer than the text around it, and lit while it is pressed or open. */
  isTool?: boolean;
}

/** A round button without a ground of its own. */
export function IconButton({ icon, label, iconSize, tip, isTool = false, ...rest }: Props) {
  return (
    <button
      {...rest}
      type="button"
      className={isTool ? `${styles.button} ${styles.tool}` : styles.button}
      aria-label={label}
    >
      <Icon name={icon} {...(iconSize && { size: iconSize })} />
      {tip === undefined ? null : (
        <span className={styles.tip} aria-hidden="true">
          {tip}
        </span>
      )}
    </button>
  );
}
