import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { BackgroundChoice } from "./background-choice.tsx";
import { FlipCamera } from "./flip-camera.tsx";
import { MirrorChoice } from "./mirror-choice.tsx";
import styles from "./settings.module.css";

/** Settings of how one's own camera is shown and sent. */
export function PictureSettings() {
  const { t } = useI18n();
  const { hasCameraFilterFailed } = useReadable(useClient().media);
  return (
    <section className={styles.section} aria-label={t.sound.picture}>
      <FlipCamera />
      <MirrorChoice />
      <BackgroundChoice />
      {hasCameraFilterFailed ? <p role="status">{t.sound.backgroundFailed}</p> : null}
    </section>
  );
}
