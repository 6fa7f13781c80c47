import { type ReactNode, useId } from "react";
import styles from "./parts.module.css";

interface Props {
  title: string;
  lead?: ReactNode;
  /** Beside the title. */
  aside?: ReactNode;
  children?: ReactNode;
  testId?: string;
}

/** A part of a section, with its heading. */
export function Card({ title, lead, aside, children, testId }: Props) {
  const id = useId();
  return (
    <section className={styles.card} aria-labelledby={id} data-testid={testId}>
      <div className={styles.cardHead}>
        <h2 id={id} className={styles.cardTitle}>
          {title}
        </h2>
        {aside}
      </div>
      {lead && <p className={styles.soft}>{lead}</p>}
      {children}
    </section>
  );
}

/** A section without anything in it yet. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty} data-testid="admin-empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}
