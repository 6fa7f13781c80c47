import type { ReactNode } from "react";
import styles from "./alert.module.css";
import { Icon } from "./icon.tsx";

interface Props {
  tone: "warning" | "info";
  title: ReactNode;
  children?: ReactNode;
  testId?: string;
}

/** Inline message with a title and optional details. */
export function Alert({ tone, title, children, testId }: Props) {
  return (
    <div
      className={`${styles.alert} ${styles[tone]}`}
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
