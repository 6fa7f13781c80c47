import styles from "./avatar.module.css";
import { initials, toneOf } from "./avatar.ts";

/** A coloured disc with initials, as large as what is around it. */
export function Avatar({ name }: { name: string }) {
  return (
    <span className={`${styles.avatar} ${styles[`tone${toneOf(name)}`]}`} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
