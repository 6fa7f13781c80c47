import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { litBars } from "./level.ts";
import styles from "./level-meter.module.css";

const BARS = [0, 1, 2, 3, 4, 5, 6, 7];

/** Level of the microphone, as bars. */
export function LevelMeter() {
  const { t } = useI18n();
  const { media } = useClient();
  const { microphone } = useReadable(media);
  const level = useReadable(media.level);
  const lit = microphone.on ? litBars(level, BARS.length) : 0;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a <meter> can't be drawn as bars.
    <div
      className={styles.meter}
      role="meter"
      aria-label={t.preview.level}
      aria-valuemin={0}
      aria-valuemax={BARS.length}
      aria-valuenow={lit}
      data-testid="mic-level"
    >
      {BARS.map((bar) => (
        <span key={bar} className={`${styles.bar} ${bar < lit ? styles.lit : ""}`} />
      ))}
    </div>
  );
}
