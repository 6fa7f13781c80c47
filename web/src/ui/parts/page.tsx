import type { ReactNode } from "react";
import { Wordmark } from "./brand.tsx";
import { LanguageChoice } from "./language-choice.tsx";
import { Link } from "./link.tsx";
import styles from "./page.module.css";

/** Header and main area of every view except the call. */
export function Page({ children }: { children: ReactNode }) {
  return (
    <>
      <header className={styles.head}>
        <Link to="/" className={styles.brand}>
          <Wordmark />
        </Link>
        <div className={styles.language}>
          <LanguageChoice compact />
        </div>
      </header>
      <main className={styles.main}>{children}</main>
    </>
  );
}
