import type { ComponentProps } from "react";
import styles from "./button.module.css";

type Variant = "primary" | "secondary" | "plain";

/** A container places it, so it takes no class. */
interface Props extends Omit<ComponentProps<"button">, "className"> {
  variant?: Variant;
  /** Ignores clicks but stays focusable. */
  busy?: boolean;
}

export function Button({ variant = "secondary", busy = false, onClick, type, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type ?? "button"}
      className={buttonClass(variant)}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}

/** Class names for links that look like buttons. */
export function buttonClass(variant: Variant): string {
  return `${styles.button} ${styles[variant]}`;
}
