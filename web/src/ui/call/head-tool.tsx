import type { ComponentProps } from "react";
import { Icon, type IconName } from "../parts/icon.tsx";
import styles from "./call-head.module.css";

interface Props extends Omit<ComponentProps<"button">, "children" | "className"> {
  icon: IconName;
  label: string;
  tooltip?: string;
}

/** A quiet button of the head. */
export function HeadTool({ icon, label, tooltip = label, ...rest }: Props) {
  return (
    <button {...rest} type="button" className={styles.tool} aria-label={label} title={tooltip}>
      <Icon name={icon} size={20} />
    </button>
  );
}
