import { useEffect, useState } from "react";
import type { Examined } from "../../admin/types.ts";
import { useAnnounce } from "../announcer.tsx";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { useAdminApi } from "./admin-context.ts";
import { Card } from "./card.tsx";
import styles from "./parts.module.css";
import tables from "./tables.module.css";
import { useTexts } from "./texts/index.ts";
import { useAction } from "./use-action.ts";

/** Findings of the doctor about the server and its machine. */
export function DoctorCard() {
  const { t, language } = useTexts();
  const api = useAdminApi();
  const announce = useAnnounce();
  const action = useAction();
  const [examined, setExamined] = useState<Examined | null>(null);

  // Its sentences come in the language in which it was asked.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another language is another report.
  useEffect(() => setExamined(null), [language]);

  const examine = () =>
    action.run(async () => {
      const found = await api.get<Examined>(`/doctor/server?lang=${language}`);
      setExamined(found);
      announce(found.findings[0]?.sentence ?? t.server.fine);
    });

  return (
    <Card title={t.server.doctor} lead={t.server.doctorLead} testId="admin-doctor">
      {examined && (
        <>
          {examined.findings.length === 0 ? (
            <p>{t.server.fine}</p>
          ) : (
            <ul className={styles.list}>
              {examined.findings.map((finding) => (
                <li key={finding.code + finding.sentence} className={styles.item}>
                  <span className={styles.itemText}>
                    <strong className={finding.severity === "advice" ? undefined : styles.failure}>
                      {finding.sentence}
                    </strong>
                    <span>{finding.remedy}</span>
                    <code className={styles.soft}>{finding.code}</code>
                  </span>
                </li>
              ))}
            </ul>
          )}
          <details>
            <summary className={tables.summary}>
              {t.server.checks}
              <Icon name="down" size={16} />
            </summary>
            <table className={tables.table}>
              <tbody>
                {examined.checks.map((check) => (
                  <tr key={check.check} data-testid="admin-doctor-check">
                    <th scope="row">{check.title}</th>
                    <td>
                      {check.detail ||
                        check.words ||
                        check.codes?.join(", ") ||
                        t.server.outcomes[check.outcome]}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
      {action.error && (
        <p className={styles.failure} role="alert">
          {action.error}
        </p>
      )}
      <div>
        <Button busy={action.isBusy} data-testid="admin-examine" onClick={() => void examine()}>
          {action.isBusy ? t.server.examining : t.server.examine}
        </Button>
      </div>
    </Card>
  );
}
