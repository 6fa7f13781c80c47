import type { LocalMediaState } from "moim-client";
import { useClient, useReadable } from "../client-context.ts";
import { FlipCameraRound } from "../devices/flip-camera.tsx";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Button } from "../parts/button.tsx";
import { CameraVideo } from "../parts/camera-video.tsx";
import { cx } from "../parts/cx.ts";
import { DeviceToggle } from "../parts/media-toggles.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { useFrames } from "../parts/use-frames.ts";
import { useStream } from "../parts/use-stream.ts";
import { preferences } from "../preferences.ts";
import { LevelMeter } from "./level-meter.tsx";
import styles from "./self-preview.module.css";

interface Props {
  /** Starts the devices used last; null unless they wait for a click. */
  onStart: (() => void) | null;
  /** The browser's question that waits for an answer, in the words of the page. */
  question: string | null;
  /** The camera starts by itself right after this view appears. */
  startsCamera: boolean;
}

/** Mirrored preview of one's own camera, with device toggles and the microphone level. */
export function SelfPreview({ onStart, question, startsCamera }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const state = useReadable(media);
  const { camera, microphone, cameraStream } = state;
  // The toggles below may already have started one of them.
  const isStopped = [camera, microphone].every(
    ({ on, opening, problem }) => !on && !opening && !problem,
  );
  const label = startLabel(t);
  const video = useStream(cameraStream);
  const frames = useFrames(video, cameraStream, cameraStream !== null);
  useAutoplay(video, cameraStream);
  return (
    <div className={styles.preview}>
      <CameraVideo
        ref={video}
        frames={frames}
        own={cameraStream}
        aria-label={t.preview.video}
        data-testid="preview"
        muted
        autoPlay
        playsInline
      />
      {question ? (
        <div className={cx(styles.off, styles.question)} role="status" data-testid="will-ask">
          <strong>{question}</strong>
          <p>{t.reach.lobby.onlyHere}</p>
        </div>
      ) : cameraStream ? null : (
        <div className={styles.off}>
          {onStart && isStopped && label ? (
            <>
              <p>{t.preview.devicesOff}</p>
              <Button variant="primary" data-testid="start-devices" onClick={onStart}>
                {label}
              </Button>
            </>
          ) : (
            <p>{startsCamera ? t.preview.cameraStarting : offText(state, t)}</p>
          )}
        </div>
      )}
      <div className={styles.bar}>
        <DeviceToggle kind="microphone" />
        <DeviceToggle kind="camera" />
        <LevelMeter />
      </div>
      <div className={styles.flip}>
        <FlipCameraRound />
      </div>
    </div>
  );
}

/** Reason why there is no picture: what is wrong, or what was chosen. */
function offText(
  { camera: { opening, on, problem }, hasCameraFilterFailed }: LocalMediaState,
  t: Messages,
): string {
  if (problem === "asking") return t.preview.asking;
  if (problem === "unanswered") return t.problem.titleUnansweredCamera;
  if (problem !== null) return t.problem.titleCamera;
  if (hasCameraFilterFailed) return t.sound.backgroundFailed;
  // Open, but its background is not changed yet.
  return opening || on ? t.preview.cameraStarting : t.preview.cameraOff;
}

/** Label that names the devices to be started; null if the user last joined without any. */
function startLabel(t: Messages): string | null {
  const hasCamera = preferences.read("camera") !== "off";
  const hasMicrophone = preferences.read("microphone") !== "off";
  if (hasCamera && hasMicrophone) return t.preview.startBoth;
  if (hasCamera) return t.controls.cameraOn;
  return hasMicrophone ? t.controls.micOn : null;
}
