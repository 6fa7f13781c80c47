import type { ServerState } from "../../admin/types.ts";
import { Certificates } from "./certificates.tsx";
import { DoctorCard } from "./doctor-card.tsx";
import styles from "./parts.module.css";
import { ServerFacts } from "./server-facts.tsx";
import { SizingCard } from "./sizing-card.tsx";
import { useTexts } from "./texts/index.ts";
import { usePoll } from "./use-poll.ts";
import { VisitorReports } from "./visitor-reports.tsx";

/** The server: its state, certificates, findings, and how large it should be. */
export function ServerSection() {
  const { t } = useTexts();
  const { value, isFailing } = usePoll<ServerState>("/server");
  return (
    <div className={styles.stack}>
      {isFailing && (
        <p className={styles.failure} role="alert">
          {t.unreachable}
        </p>
      )}
      <div className={styles.columns}>
        {value && (
          <div className={styles.stack}>
            <ServerFacts state={value} />
            <Certificates state={value} />
          </div>
        )}
        <div className={styles.stack}>
          <DoctorCard />
          <SizingCard />
          <VisitorReports />
        </div>
      </div>
    </div>
  );
}
