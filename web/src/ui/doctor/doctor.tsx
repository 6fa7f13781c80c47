import { examineDevices } from "moim-client";
import { useCallback, useEffect, useRef, useState } from "react";
import { examine } from "../../doctor/examine.ts";
import {
  CHECKS,
  type Examination,
  endedChecks,
  NO_EXAMINATION,
  reduceExamination,
} from "../../doctor/facts.ts";
import { judge } from "../../doctor/judge.ts";
import { useAnnounce } from "../announcer.tsx";
import { useClient } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import leadStyles from "../parts/lead.module.css";
import { Page } from "../parts/page.tsx";
import { useDoctorTexts } from "../parts/part-texts.ts";
import { Verdict, type VerdictWords, verdictWords } from "../parts/verdict.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { CheckTable } from "./check-table.tsx";
import styles from "./doctor.module.css";
import { reportText } from "./report.ts";
import { SendReport } from "./send-report.tsx";

interface Props {
  seconds: number | undefined;
  /** One-time id with which the operator follows the first test. */
  probe: string | undefined;
}

/** The view at `/doctor`: tests the way to the server, and says what to do. */
export default function Doctor({ seconds, probe }: Props) {
  const { language } = useI18n();
  const doctorTexts = useDoctorTexts();
  const announce = useAnnounce();
  const [run, setRun] = useState(0);
  const [isCopied, setCopied] = useState(false);
  const [isTestingDevices, setTestingDevices] = useState(false);
  const options = { seconds, probe };
  const { examination, judgeIn, testDevices } = useExamination(run, language, options);
  const { phase } = examination;

  const judgedIn = useRef(language);
  useEffect(() => {
    if (phase === "running" || judgedIn.current === language) return;
    judgedIn.current = language;
    judgeIn(language);
  }, [phase, language, judgeIn]);

  const verdict =
    phase === "running" ? doctorTexts.running : verdictOf(examination, doctorTexts).sentence;
  useEffect(() => announce(verdict), [announce, verdict]);

  const copy = async () => {
    const about = { host: location.host, at: new Date(), userAgent: navigator.userAgent };
    await navigator.clipboard.writeText(reportText(examination, about));
    setCopied(true);
    announce(doctorTexts.copied);
  };

  const askDevices = async () => {
    setTestingDevices(true);
    announce(doctorTexts.devices.testing);
    await testDevices(language);
    setTestingDevices(false);
  };

  return (
    <Page>
      <div className={styles.doctor} data-testid="doctor" data-phase={phase}>
        <div>
          <ViewTitle document={`${doctorTexts.title} · moim`} className={leadStyles.title}>
            {doctorTexts.title}
          </ViewTitle>
          <p className={leadStyles.lead}>{doctorTexts.lead}</p>
        </div>
        <Verdict testId="doctor-verdict" {...verdictOf(examination, doctorTexts)} />
        {phase === "running" ? (
          <div>
            <progress
              className={styles.progress}
              max={CHECKS.length}
              value={endedChecks(examination)}
              aria-label={doctorTexts.running}
            />
            <p className={styles.note}>
              {doctorTexts.progress(endedChecks(examination), CHECKS.length)}
            </p>
          </div>
        ) : (
          <div className={styles.actions}>
            <Button
              variant="primary"
              data-testid="doctor-again"
              onClick={() => {
                setCopied(false);
                setRun(run + 1);
              }}
            >
              {doctorTexts.again}
            </Button>
            <Button data-testid="doctor-devices" busy={isTestingDevices} onClick={askDevices}>
              {isTestingDevices ? doctorTexts.devices.testing : doctorTexts.devices.test}
            </Button>
            <Button data-testid="doctor-copy" onClick={copy}>
              {isCopied ? doctorTexts.copied : doctorTexts.copy}
            </Button>
          </div>
        )}
        {phase === "judged" && examination.takesReports && (
          // What the devices add makes another report.
          <SendReport key={JSON.stringify(examination.facts)} facts={examination.facts} />
        )}
        <CheckTable examination={examination} />
        <p className={styles.note}>{doctorTexts.privacy}</p>
        {probe && <p className={styles.note}>{doctorTexts.followed}</p>}
      </div>
    </Page>
  );
}

/** The verdict, what to do, and the other findings. */
function verdictOf(
  { phase, findings }: Examination,
  words: ReturnType<typeof useDoctorTexts>,
): VerdictWords {
  switch (phase) {
    case "running":
      return { tone: "calm", sentence: words.running, remedy: "", main: null, others: findings };
    case "failed":
      return {
        tone: "bad",
        sentence: words.failed,
        remedy: words.failedRemedy,
        main: null,
        others: findings,
      };
    case "judged":
      return verdictWords(findings, words.fine, words.fineRemedy);
  }
}

/** Examines once for each `run`. */
function useExamination(run: number, language: string, { seconds, probe }: Props) {
  const { media } = useClient();
  const [examination, setExamination] = useState(NO_EXAMINATION);
  const current = useRef(examination);
  const firstLanguage = useRef(language);
  firstLanguage.current = language;

  const set = useCallback((next: Examination) => {
    current.current = next;
    setExamination(next);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another run examines again.
  useEffect(() => {
    const end = new AbortController();
    set(NO_EXAMINATION);
    void examine(
      { language: firstLanguage.current, seconds, probe },
      (event) => {
        if (!end.signal.aborted) set(reduceExamination(current.current, event));
      },
      end.signal,
    );
    return () => end.abort();
  }, [run, set]);

  const judgeIn = useCallback(
    (other: string) => {
      const { phase, facts } = current.current;
      if (phase !== "judged") return;
      judge(facts, other, new AbortController().signal).then(
        (findings) => set(reduceExamination(current.current, { type: "judged", findings })),
        // The words stay in the language before.
        () => {},
      );
    },
    [set],
  );

  const testDevices = useCallback(
    async (language: string) => {
      const tested = current.current;
      const { microphone, camera } = media.getSnapshot();
      const chosen = { microphone: microphone.deviceId, camera: camera.deviceId };
      const devices = await examineDevices(chosen);
      // Another run has begun meanwhile.
      if (current.current.checks !== tested.checks) return;
      set(reduceExamination(current.current, { type: "devices", devices }));
      judgeIn(language);
    },
    [set, judgeIn, media],
  );
  return { examination, judgeIn, testDevices };
}
