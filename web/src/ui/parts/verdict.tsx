import type { ReactNode } from "react";
import type { Finding } from "../../doctor/facts.ts";
import { Icon } from "./icon.tsx";
import { useDoctorTexts } from "./part-texts.ts";
import styles from "./verdict.module.css";

/** Content of a verdict. */
export interface VerdictWords {
  tone: "calm" | "good" | "bad";
  sentence: string;
  remedy: string;
  /** The finding behind the verdict. */
  main: Finding | null;
  others: readonly Finding[];
}

/** The words of findings. Advice alone is no reason for alarm: `fine` is the sentence then. */
export function verdictWords(
  findings: readonly Finding[],
  fine: string,
  fineRemedy: string,
): VerdictWords {
  const [first, ...others] = findings;
  if (!first || first.severity === "advice") {
    return { tone: "good", sentence: fine, remedy: fineRemedy, main: null, others: findings };
  }
  const { sentence, remedy } = first;
  return { tone: "bad", sentence, remedy, main: first, others };
}

interface Props extends VerdictWords {
  testId: string;
  children?: ReactNode;
}

/** One sentence, one thing to do, and the other findings. */
export function Verdict({ testId, tone, sentence, remedy, main, others, children }: Props) {
  const doctorTexts = useDoctorTexts();
  return (
    <section className={`${styles.verdict} ${styles[tone]}`} data-testid={testId}>
      {tone !== "calm" && <Icon name={tone === "bad" ? "alert" : "check"} size={30} />}
      <div className={styles.words}>
        <h2 className={styles.sentence}>{sentence}</h2>
        {remedy && <p>{remedy}</p>}
        {main && <Code code={main.code} />}
        {others.length > 0 && (
          <>
            <h3 className={styles.also}>{doctorTexts.also}</h3>
            <ul className={styles.others}>
              {others.map((finding) => (
                <li key={finding.code}>
                  {finding.sentence} {finding.remedy} <Code code={finding.code} />
                </li>
              ))}
            </ul>
          </>
        )}
        {children}
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
