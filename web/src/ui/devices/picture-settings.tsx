import { useI18n } from "../i18n/context.tsx";
import { FlipCamera } from "./flip-camera.tsx";
import { MirrorChoice } from "./mirror-choice.tsx";
import styles from "./settings.module.css";

/** How one's own camera is shown and sent. */
export function PictureSettings() {
  const { t } = useI18n();
  return (
    <section className={styles.section} aria-label={t.sound.picture}>
      <FlipCamera />
      <MirrorChoice />
    </section>
  );
}
