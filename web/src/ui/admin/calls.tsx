import { useState } from "react";
import type { Call } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { CallDialog } from "./call-dialog.tsx";
import { Card, Empty } from "./card.tsx";
import { formatMoment, minutesBetween } from "./format.ts";
import styles from "./parts.module.css";
import tables from "./tables.module.css";
import { useTexts } from "./texts/index.ts";
import { usePages } from "./use-pages.ts";

/** The calls of the last months, and why one was bad. */
export function Calls() {
  const { t, language } = useTexts();
  const calls = usePages<Call>("/calls");
  const [open, setOpen] = useState<Call | null>(null);
  if (calls.items === null) {
    return <p className={styles.soft}>{calls.error ? t.failed(calls.error) : t.loading}</p>;
  }
  if (calls.items.length === 0) return <Empty title={t.calls.empty}>{t.calls.emptyHint}</Empty>;
  return (
    <Card title={t.sections.calls} testId="admin-calls">
      <table className={tables.table}>
        <thead>
          <tr>
            <th scope="col">{t.calls.room}</th>
            <th scope="col">{t.calls.began}</th>
            <th scope="col" className={tables.number}>
              {t.calls.lasted}
            </th>
            <th scope="col" className={tables.number}>
              {t.calls.people}
            </th>
          </tr>
        </thead>
        <tbody>
          {calls.items.map((call) => {
            const began = formatMoment(call.began_at, language);
            return (
              <tr key={call.id} data-testid="admin-call">
                <th scope="row">
                  <button
                    type="button"
                    className={tables.link}
                    aria-label={t.calls.open(call.room, began)}
                    onClick={() => setOpen(call)}
                  >
                    <bdi>{call.room}</bdi>
                  </button>
                </th>
                <td data-label={t.calls.began}>{began}</td>
                <td data-label={t.calls.lasted} className={tables.number}>
                  {call.ended_at
                    ? t.calls.minutes(minutesBetween(call.began_at, call.ended_at))
                    : t.calls.goesOn}
                </td>
                <td data-label={t.calls.people} className={tables.number}>
                  {call.participants}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {calls.error && (
        <p className={styles.failure} role="alert">
          {t.failed(calls.error)}
        </p>
      )}
      {calls.hasMore && <Button onClick={calls.more}>{t.more}</Button>}
      {open && <CallDialog call={open} onClose={() => setOpen(null)} />}
    </Card>
  );
}
