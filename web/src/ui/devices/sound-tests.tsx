import type { ReactNode } from "react";
import { EchoTest } from "./echo-test.tsx";
import styles from "./settings.module.css";
import { SpeakerTest } from "./speaker-test.tsx";

/** Tests of speaker and microphone. */
export function SoundTests({
  isJoined = false,
  children,
}: {
  isJoined?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={styles.tests}>
      <SpeakerTest />
      <EchoTest isJoined={isJoined} />
      {children}
    </div>
  );
}
