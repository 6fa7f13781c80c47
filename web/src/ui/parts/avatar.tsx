import styles from "./avatar.module.css";
import { initials, toneOf } from "./initials.ts";

/** A coloured disc with initials that fills its container. */
export function Avatar({ name }: { name: string }) {
  return (
    <span className={`${styles.avatar} ${styles[`tone${toneOf(name)}`]}`} aria-hidden="true">
      <span className={styles.initials}>{initials(name)}</span>
    </span>
  );
}
