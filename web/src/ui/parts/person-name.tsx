import styles from "./person-name.module.css";

/** A participant's name, of two lines at most; the tooltip has all of it. */
export function PersonName({ name, text = name }: { name: string; text?: string }) {
  return (
    <bdi className={styles.name} title={name} data-person-name>
      {text}
    </bdi>
  );
}
