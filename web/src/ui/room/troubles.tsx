import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Notice } from "../parts/notice.tsx";
import { browserOf, troublesOf } from "./trouble.ts";
import styles from "./troubles.module.css";

/** What keeps the camera or microphone from opening, and what to do. Joining works regardless. */
export function Troubles({ isJoined = false }: { isJoined?: boolean }) {
  const { t } = useSpeech();
  const { media } = useClient();
  const state = useReadable(media);
  const troubles = troublesOf(state, browserOf(navigator.userAgent), t);
  if (troubles.length === 0) return null;
  const retry = () =>
    media.start({
      camera: state.camera.on || state.camera.problem !== null,
      microphone: state.microphone.on || state.microphone.problem !== null,
    });
  return troubles.map(({ title, why, how, canRetry }, i) => {
    const isLast = i === troubles.length - 1;
    return (
      <Notice key={title} tone="warning" title={title} testId="device-problem">
        <p>{why}</p>
        {how ? <p>{how}</p> : null}
        {isLast && !isJoined ? <p>{t.problem.canJoin}</p> : null}
        {isLast && canRetry ? (
          <button type="button" className={styles.again} onClick={() => void retry()}>
            {t.problem.tryAgain}
          </button>
        ) : null}
      </Notice>
    );
  });
}
