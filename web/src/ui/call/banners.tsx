import { type Call, type CallState, mayPublish } from "moim-client";
import { useClient, useReadable } from "../client-context.ts";
import { SlowBackgroundHint } from "../devices/background-hints.tsx";
import { UploadHint } from "../devices/upload-hint.tsx";
import { VoiceHints } from "../devices/voice-hints.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { usePlayback } from "../parts/playback-provider.tsx";
import { usePreference } from "../use-preference.ts";
import styles from "./banners.module.css";
import { ConnectionBanner } from "./connection-banner.tsx";
import { DeviceBanner } from "./device-banner.tsx";

/** Banners about the whole call: connection, devices and blocked audio. */
export function Banners({ call, state }: { call: Call; state: CallState }) {
  const { t } = useI18n();
  const { server, media } = useClient();
  const { hasCameraFilterFailed } = useReadable(media);
  const isDraining = useReadable(server) === "draining";
  const { isBlocked, unlock } = usePlayback();
  const [, setReceive] = usePreference("receive");
  const [, setBackground] = usePreference("background");
  return (
    <>
      {state.status === "reconnecting" ? (
        <ConnectionBanner call={call} state={state} />
      ) : isDraining ? (
        <p className={styles.banner} role="status" data-testid="draining">
          <Icon name="alert" size={20} />
          {t.call.draining}
        </p>
      ) : state.sfuUnreachable ? (
        <p className={`${styles.banner} ${styles.quiet}`} role="status" data-testid="cut-off">
          <Icon name="direct" size={20} />
          {t.call.sfuUnreachable}
        </p>
      ) : null}
      <DeviceBanner />
      <VoiceHints isHeard={mayPublish(state, "microphone")} />
      <UploadHint call={call} />
      <SlowBackgroundHint />
      {hasCameraFilterFailed ? (
        <p className={styles.banner} role="status" data-testid="background-failed">
          <Icon name="alert" size={20} />
          {t.sound.backgroundFailed}
          <button type="button" className={styles.action} onClick={() => setBackground("none")}>
            {t.sound.backgroundOff}
          </button>
        </p>
      ) : null}
      {state.reception === "sound" ? (
        <p className={`${styles.banner} ${styles.quiet}`} role="status" data-testid="sound-only">
          <Icon name="speaker" size={20} />
          {t.sound.soundOnly}
          <button type="button" className={styles.action} onClick={() => setReceive("all")}>
            {t.sound.showVideo}
          </button>
        </p>
      ) : null}
      {isBlocked ? (
        <button type="button" className={styles.unlock} data-testid="tap-to-hear" onClick={unlock}>
          <Icon name="speaker" size={24} />
          <strong>{t.call.tapToHear}</strong>
          <small>{t.call.tapWhy}</small>
        </button>
      ) : null}
    </>
  );
}
