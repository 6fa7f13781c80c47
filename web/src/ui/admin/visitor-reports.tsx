import type { VisitorReport } from "../../admin/types.ts";
import { Button } from "../parts/button.tsx";
import { Card } from "./card.tsx";
import { formatMoment } from "./format.ts";
import styles from "./parts.module.css";
import { useTexts } from "./texts/index.ts";
import { usePages } from "./use-pages.ts";

/** Reports of visitors from the page `/doctor`. */
export function VisitorReports() {
  const { t, language } = useTexts();
  const reports = usePages<VisitorReport>(`/doctor/reports?lang=${language}`);
  if (reports.isMissing) return null;
  return (
    <Card title={t.server.reports} lead={t.server.reportsLead} testId="admin-reports">
      {reports.items?.length === 0 && <p className={styles.soft}>{t.server.noReports}</p>}
      <ul className={styles.list}>
        {(reports.items ?? []).map((report) => (
          <li key={report.id} className={styles.item} data-testid="admin-report">
            <span className={styles.itemText}>
              <strong>
                {[formatMoment(report.at, language), report.address].filter(Boolean).join(" · ")}
              </strong>
              {report.findings.length === 0 && <span>{t.server.reportFine}</span>}
              {report.findings.map(({ code, sentence }) => (
                <span key={code + sentence}>
                  {sentence} <code className={styles.soft}>{code}</code>
                </span>
              ))}
              <span className={styles.soft}>{report.user_agent}</span>
            </span>
          </li>
        ))}
      </ul>
      {reports.error && (
        <p className={styles.failure} role="alert">
          {t.failed(reports.error)}
        </p>
      )}
      {reports.hasMore && <Button onClick={reports.more}>{t.more}</Button>}
    </Card>
  );
}
