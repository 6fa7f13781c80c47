import type { ComponentProps } from "react";
import styles from "./button.module.css";

type Look = "primary" | "quiet" | "plain";

interface Props extends ComponentProps<"button"> {
  look?: Look;
  /** Stays focusable while it works, and does nothing more. */
  busy?: boolean;
}

export function Button({ look = "quiet", busy = false, onClick, type, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type ?? "button"}
      className={buttonClass(look)}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}

/** For links that look like buttons. */
export function buttonClass(look: Look): string {
  return `${styles.button} ${styles[look]}`;
}
