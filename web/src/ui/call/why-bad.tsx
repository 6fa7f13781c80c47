import type { Call } from "moim-client";
import { useEffect, useRef, useState } from "react";
import type { Finding } from "../../doctor/facts.ts";
import { judge } from "../../doctor/judge.ts";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { useDoctorTexts } from "../parts/part-texts.ts";
import { Verdict, type VerdictWords, verdictWords } from "../parts/verdict.tsx";
import styles from "./stats.module.css";

type Answer =
  | { readonly is: "unasked" }
  | { readonly is: "asking" }
  | { readonly is: "judged"; readonly findings: readonly Finding[] }
  | { readonly is: "failed" };

interface Props {
  call: Pick<Call, "callFacts">;
  /** Somebody is there to be badly connected to. */
  hasLinks: boolean;
}

/** Says why the call is bad, from what it measured in its last seconds, or tests the line anew. */
export function WhyBad({ call, hasLinks }: Props) {
  const { t, language } = useI18n();
  const doctorTexts = useDoctorTexts();
  const announce = useAnnounce();
  const words = t.stats.why;
  const [answer, setAnswer] = useState<Answer>({ is: "unasked" });
  const end = useRef(new AbortController());
  useEffect(() => {
    const controller = new AbortController();
    end.current = controller;
    return () => controller.abort();
  }, []);

  const verdict = verdictOf(answer, words);
  const sentence = verdict?.sentence;
  useEffect(() => {
    if (sentence) announce(sentence);
  }, [announce, sentence]);

  const { callFacts } = call;
  const ask = async () => {
    if (!callFacts) return;
    const { signal } = end.current;
    setAnswer({ is: "asking" });
    try {
      const findings = await judge({ call: callFacts }, language, signal);
      setAnswer({ is: "judged", findings });
    } catch {
      if (!signal.aborted) setAnswer({ is: "failed" });
    }
  };
  return (
    <div className={styles.why}>
      <div className={styles.ways}>
        {hasLinks && (
          <Button data-testid="call-why" busy={!callFacts || answer.is === "asking"} onClick={ask}>
            {words.ask}
          </Button>
        )}
        <a href="/doctor" target="_blank" rel="noopener" data-testid="why">
          {doctorTexts.test}
        </a>
      </div>
      {verdict && <Verdict testId="call-verdict" {...verdict} />}
    </div>
  );
}

function verdictOf(
  answer: Answer,
  words: ReturnType<typeof useI18n>["t"]["stats"]["why"],
): VerdictWords | null {
  const none = { main: null, others: [] };
  switch (answer.is) {
    case "unasked":
      return null;
    case "asking":
      return { ...none, tone: "calm", sentence: words.asking, remedy: "" };
    case "judged":
      return verdictWords(answer.findings, words.fine, words.fineRemedy);
    case "failed":
      return { ...none, tone: "bad", sentence: words.failed, remedy: words.failedRemedy };
  }
}
