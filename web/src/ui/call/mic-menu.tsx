import { EchoTest } from "../devices/echo-test.tsx";
import { SpeakerTest } from "../devices/speaker-test.tsx";
import { useI18n } from "../i18n/context.tsx";
import { DeviceToggle } from "../parts/media-toggles.tsx";
import { canChooseSpeaker } from "../platform.ts";
import { DeviceMenu } from "./device-menu.tsx";
import { DeviceRadios } from "./device-radios.tsx";

/** The microphone's toggle with its menu: microphone and speaker. */
export function MicMenu({ onSettings }: { onSettings: () => void }) {
  const { t } = useI18n();
  return (
    <DeviceMenu
      toggle={<DeviceToggle kind="microphone" />}
      label={t.controls.micMenu}
      testId="open-mic-menu"
      onSettings={onSettings}
    >
      <DeviceRadios kind="microphone" />
      <EchoTest isJoined />
      {canChooseSpeaker ? <DeviceRadios kind="speaker" /> : null}
      <SpeakerTest />
    </DeviceMenu>
  );
}
