import type { Examination, Finding } from "../../client/doctor/facts.ts";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import styles from "./doctor.module.css";

interface Props {
  examination: Examination;
  sentence: string;
  remedy: string;
  /** The finding behind the verdict. */
  main: Finding | null;
  others: readonly Finding[];
}

/** One sentence, one thing to do, and the other findings. */
export function Verdict({ examination, sentence, remedy, main, others }: Props) {
  const { t } = useI18n();
  const { phase } = examination;
  const isBad = phase === "failed" || main !== null;
  const tone = phase === "running" ? styles.calm : isBad ? styles.bad : styles.good;
  return (
    <section className={`${styles.verdict} ${tone}`} data-testid="doctor-verdict">
      {phase !== "running" && <Icon name={isBad ? "alert" : "check"} size={30} />}
      <div className={styles.words}>
        <h2 className={styles.sentence}>{sentence}</h2>
        {remedy && <p>{remedy}</p>}
        {main && <Code code={main.code} />}
        {others.length > 0 && (
          <>
            <h3 className={styles.also}>{t.doctor.also}</h3>
            <ul className={styles.others}>
              {others.map((finding) => (
                <li key={finding.code}>
                  {finding.sentence} {finding.remedy} <Code code={finding.code} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

function Code({ code }: { code: string }) {
  return (
    <code className={styles.code} data-testid="doctor-code">
      {code}
    </code>
  );
}
