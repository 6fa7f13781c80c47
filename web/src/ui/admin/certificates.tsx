import type { DomainState, ServerState } from "../../admin/types.ts";
import { Card } from "./card.tsx";
import { formatDate, formatMoment } from "./format.ts";
import styles from "./parts.module.css";
import { type Texts, useTexts } from "./texts/index.ts";

/** The certificates, when they end, and when they are renewed. */
export function Certificates({ state }: { state: ServerState }) {
  const { t, language } = useTexts();
  return (
    <Card title={t.server.certificates}>
      <ul className={styles.list}>
        {state.certificates.map(({ source, expires_at: ends }) => (
          <li key={source} className={styles.item}>
            <span className={styles.itemText}>
              <strong>{t.server.sources[source]}</strong>
              <span className={styles.soft}>
                {t.server.until(formatDate(ends, language))} ·{" "}
                {source === "files" ? t.server.renewYours : t.server.renewedAlone}
              </span>
            </span>
          </li>
        ))}
        {state.domains.map((domain) => (
          <li key={domain.name} className={styles.item}>
            <span className={styles.itemText}>
              <strong>{domain.name}</strong>
              <span className={domain.is_expiring ? styles.failure : styles.soft}>
                {datesOf(domain, t, language)}
              </span>
              {domain.problem && (
                <span className={styles.failure}>
                  {domain.problem.text} <code>{domain.problem.code}</code>
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function datesOf(domain: DomainState, t: Texts, language: string): string {
  const { expires_at: ends, next_attempt_at: next } = domain;
  const until = ends ? t.server.until(formatDate(ends, language)) : t.server.noCertificate;
  const again = next ? t.server.nextTry(formatMoment(next, language)) : t.server.noNextTry;
  return `${until} · ${again}`;
}
