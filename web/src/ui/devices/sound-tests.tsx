import type { ReactNode } from "react";
import { useI18n } from "../i18n/context.tsx";
import { EchoTest } from "./echo-test.tsx";
import styles from "./settings.module.css";
import { SpeakerTest } from "./speaker-test.tsx";

/** Tests of speaker and microphone; in a call they say that nobody else hears them. */
export function SoundTests({
  isJoined = false,
  children,
}: {
  isJoined?: boolean;
  children?: ReactNode;
}) {
  const { t } = useI18n();
  return (
    <div className={styles.tests}>
      <SpeakerTest />
      <EchoTest isJoined={isJoined} />
      {children}
      {isJoined ? <p className={styles.hint}>{t.sound.testMicHint}</p> : null}
    </div>
  );
}
