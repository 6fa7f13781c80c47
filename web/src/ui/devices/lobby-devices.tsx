import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { loadPart } from "../parts/load-part.tsx";
import { BackgroundFailure, SlowBackgroundHint } from "./background-hints.tsx";
import { DeviceChoice } from "./device-choice.tsx";
import styles from "./settings.module.css";
import { SoundTests } from "./sound-tests.tsx";
import { TestButton } from "./test-button.tsx";
import { VoiceHints } from "./voice-hints.tsx";

/** Opened by few, so its script is a file of its own. */
const MediaSettings = loadPart(async () => (await import("./media-settings.tsx")).default);

/** Choice and test of the devices before a call, and the way to their settings. */
export function LobbyDevices() {
  const { t } = useI18n();
  const [showsSettings, setShowsSettings] = useState(false);
  return (
    <div className={styles.section}>
      <DeviceChoice />
      <SoundTests>
        <TestButton
          icon="settings"
          label={t.sound.title}
          running={null}
          failure={null}
          testId="media-settings"
          onClick={() => setShowsSettings(true)}
        />
      </SoundTests>
      <VoiceHints isHeard={false} />
      <BackgroundFailure />
      <SlowBackgroundHint />
      {showsSettings ? (
        <Dialog title={t.sound.title} onClose={() => setShowsSettings(false)}>
          <MediaSettings />
        </Dialog>
      ) : null}
    </div>
  );
}
