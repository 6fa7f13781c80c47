import { splitFileName } from "moim-client";
import styles from "./file-card.module.css";

/** A file's name in one line; where it is too long, its beginning is cut and its extension stays. */
export function FileName({ name }: { name: string }) {
  const { stem, extension } = splitFileName(name);
  return (
    <bdi className={styles.fileName} title={name}>
      <span className={styles.stem}>{stem}</span>
      {extension ? <span className={styles.extension}>{extension}</span> : null}
    </bdi>
  );
}
