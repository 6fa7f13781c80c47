import { Icon } from "../parts/icon.tsx";
import styles from "./unplayable.module.css";

/** Words in place of a picture that comes in a format this browser lacks. */
export function Unplayable({ text }: { text: string }) {
  return (
    <p className={styles.words} aria-hidden="true" data-testid="unplayable">
      <Icon name="alert" size={18} />
      <span>{text}</span>
    </p>
  );
}
