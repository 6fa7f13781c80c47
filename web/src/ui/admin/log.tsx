import type { AuditEntry } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { Card, Empty } from "./card.tsx";
import { formatMoment } from "./format.ts";
import styles from "./parts.module.css";
import tables from "./tables.module.css";
import { type Texts, useTexts } from "./texts/index.ts";
import { usePages } from "./use-pages.ts";

/** Audit log, the newest first. */
export function Log() {
  const { t, language } = useTexts();
  const log = usePages<AuditEntry>("/audit");
  if (log.items === null) {
    return <p className={styles.soft}>{log.error ? t.failed(log.error) : t.loading}</p>;
  }
  if (log.items.length === 0) return <Empty title={t.log.empty}>{t.log.lead}</Empty>;
  return (
    <Card title={t.sections.log} lead={t.log.lead} testId="admin-log">
      <table className={tables.table}>
        <thead>
          <tr>
            <th scope="col">{t.log.what}</th>
            <th scope="col">{t.log.who}</th>
            <th scope="col">{t.log.at}</th>
            <th scope="col">{t.log.where}</th>
          </tr>
        </thead>
        <tbody>
          {log.items.map((entry) => (
            <tr key={entry.id} data-testid="admin-log-entry" data-action={entry.action}>
              <th scope="row">{what(entry, t)}</th>
              <td data-label={t.log.who}>
                <bdi>{entry.actor === "ctl" ? t.log.who_ctl : entry.actor}</bdi>
              </td>
              <td data-label={t.log.at}>{formatMoment(entry.at, language)}</td>
              <td data-label={t.log.where}>{entry.address ?? t.unknown}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {log.error && (
        <p className={styles.failure} role="alert">
          {t.failed(log.error)}
        </p>
      )}
      {log.hasMore && <Button onClick={log.more}>{t.more}</Button>}
    </Card>
  );
}

/** Actions of a server newer than the page are shown as they are. */
function what({ action, actor, object, detail }: AuditEntry, t: Texts): string {
  const words = t.log.actions[action] ?? action;
  // Who signed in or out is said beside.
  const isSelf = action.startsWith("admin.sign_") && actor === `admin ${object}`;
  const named = action.startsWith("key.") || action.startsWith("webhook.") ? detail : object;
  return t.log.about(words, isSelf ? "" : (named ?? object));
}
