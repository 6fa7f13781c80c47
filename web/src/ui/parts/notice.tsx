import type { ReactNode } from "react";
import { Icon } from "./icon.tsx";
import styles from "./notice.module.css";

interface Props {
  tone: "warning" | "info";
  title: ReactNode;
  children?: ReactNode;
  testId?: string;
}

/** Something to know, where it matters, with what to do about it. */
export function Notice({ tone, title, children, testId }: Props) {
  return (
    <div
      className={`${styles.notice} ${styles[tone]}`}
      role={tone === "warning" ? "alert" : "status"}
      data-testid={testId}
    >
      <Icon name={tone === "warning" ? "alert" : "people"} size={22} />
      <div className={styles.body}>
        <p className={styles.title}>{title}</p>
        {children}
      </div>
    </div>
  );
}
