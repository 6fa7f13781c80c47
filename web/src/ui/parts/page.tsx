import type { ReactNode } from "react";
import { Wordmark } from "./brand.tsx";
import { LanguageChoice } from "./language-choice.tsx";
import { Link } from "./link.tsx";
import styles from "./page.module.css";

/** What every view but the call has around it. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <>
      <header className={styles.head}>
        <Link to="/" className={styles.brand}>
          <Wordmark />
        </Link>
        <div className={styles.language}>
          <LanguageChoice quiet />
        </div>
      </header>
      <main className={styles.main}>{children}</main>
    </>
  );
}
