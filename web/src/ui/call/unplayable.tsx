import { Icon } from "../parts/icon.tsx";
import styles from "./unplayable.module.css";

/** Text in place of a video whose codec this browser can't decode. */
export function Unplayable({ text }: { text: string }) {
  return (
    <p className={styles.text} aria-hidden="true" data-testid="unplayable">
      <Icon name="alert" size={18} />
      <span>{text}</span>
    </p>
  );
}
