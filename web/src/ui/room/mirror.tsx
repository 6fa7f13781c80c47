import { usePlaying } from "../call/sound-gate.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Button } from "../parts/button.tsx";
import { CameraToggle, MicToggle } from "../parts/media-toggles.tsx";
import { useStream } from "../parts/use-stream.ts";
import { preferences } from "../preferences.ts";
import { LevelMeter } from "./level-meter.tsx";
import styles from "./mirror.module.css";

interface Props {
  /** Turns on what was last used, where the devices wait for a click. */
  onStart: (() => void) | null;
}

/** One's own picture, as in a mirror, with the two switches and the voice. */
export function Mirror({ onStart }: Props) {
  const { t } = useSpeech();
  const { media } = useClient();
  const { camera, microphone, picture } = useReadable(media);
  // The switches below may have turned one of them on meanwhile.
  const isClosed = [camera, microphone].every(
    ({ on, opening, problem }) => !on && !opening && !problem,
  );
  const label = startLabel(t);
  const video = useStream(picture);
  usePlaying(video, picture);
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
        <div className={styles.off}>
          {onStart && isClosed && label ? (
            <>
              <p>{t.preview.devicesWait}</p>
              <Button look="primary" data-testid="start-devices" onClick={onStart}>
                {label}
              </Button>
            </>
          ) : (
            <p>{camera.opening ? t.preview.cameraStarting : t.preview.cameraOff}</p>
          )}
        </div>
      )}
      <div className={styles.bar}>
        <MicToggle />
        <CameraToggle />
        <LevelMeter />
      </div>
    </div>
  );
}

/** Names what would be turned on; null where the person last came without either. */
function startLabel(t: Messages): string | null {
  const hasCamera = preferences.read("camera") !== "off";
  const hasMicrophone = preferences.read("microphone") !== "off";
  if (hasCamera && hasMicrophone) return t.preview.startBoth;
  if (hasCamera) return t.controls.cameraOn;
  return hasMicrophone ? t.controls.micOn : null;
}
