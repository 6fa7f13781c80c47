import type { ComponentProps } from "react";
import styles from "./parts.module.css";

/** A button in a row of a list, as tall as a finger is wide. */
export function SmallButton({
  isDangerous = false,
  ...rest
}: ComponentProps<"button"> & { isDangerous?: boolean }) {
  return (
    <button
      {...rest}
      type="button"
      className={`${styles.small} ${isDangerous ? styles.dangerous : ""}`}
    />
  );
}
