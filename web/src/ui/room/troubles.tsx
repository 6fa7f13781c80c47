import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Notice } from "../parts/notice.tsx";
import { browserOf, type Trouble, troublesOf } from "./trouble.ts";
import styles from "./troubles.module.css";

/** What keeps the camera or microphone from opening, and what to do. Joining works regardless. */
export function Troubles({ isJoined = false }: { isJoined?: boolean }) {
  const { t } = useSpeech();
  const { media } = useClient();
  const state = useReadable(media);
  const troubles = troublesOf(state, browserOf(navigator.userAgent), t);
  if (troubles.length === 0) return null;
  // One button helps all that it can.
  const helped = (remedy: string) =>
    troubles.flatMap((trouble) => (trouble.remedy === remedy ? trouble.kinds : []));
  return troubles.map(({ title, why, how, remedy }, i) => {
    const isLast = i === troubles.length - 1;
    return (
      <Notice key={title} tone="warning" title={title} testId="device-problem">
        <p>{why}</p>
        {how ? <p>{how}</p> : null}
        {isLast && !isJoined ? <p>{t.problem.canJoin}</p> : null}
        {remedy && !troubles.slice(i + 1).some((later) => later.remedy === remedy) ? (
          <button
            type="button"
            className={styles.again}
            onClick={() => void media.start(wantedOf(helped(remedy)))}
          >
            {remedy}
          </button>
        ) : null}
      </Notice>
    );
  });
}

/** Argument of `start` that opens these devices. */
export function wantedOf(kinds: Trouble["kinds"]): { camera: boolean; microphone: boolean } {
  return { camera: kinds.includes("camera"), microphone: kinds.includes("microphone") };
}
