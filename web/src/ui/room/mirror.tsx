import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { CameraToggle, MicToggle } from "../parts/media-toggles.tsx";
import { useStream } from "../parts/use-stream.ts";
import { LevelMeter } from "./level-meter.tsx";
import styles from "./mirror.module.css";

/** One's own picture, as in a mirror, with the two switches and the voice. */
export function Mirror() {
  const { t } = useSpeech();
  const { media } = useClient();
  const { camera, picture } = useReadable(media);
  const video = useStream(picture);
  return (
    <div className={styles.mirror}>
      <video
        ref={video}
        className={`${styles.video} ${picture ? styles.live : ""}`}
        aria-label={t.preview.video}
        data-testid="preview"
        muted
        autoPlay
        playsInline
      />
      {picture ? null : (
        <p className={styles.off}>
          {camera.opening ? t.preview.cameraStarting : t.preview.cameraOff}
        </p>
      )}
      <div className={styles.bar}>
        <MicToggle />
        <CameraToggle />
        <LevelMeter />
      </div>
    </div>
  );
}
