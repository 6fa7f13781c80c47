import { DeviceAlerts } from "../devices/device-alerts.tsx";
import { DeviceChoice } from "../devices/device-choice.tsx";
import { PictureSettings } from "../devices/picture-settings.tsx";
import { SoundSettings } from "../devices/sound-settings.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { LanguageChoice } from "../parts/language-choice.tsx";

/** The settings during a call. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Dialog title={t.settings.title} onClose={onClose}>
      <DeviceAlerts isJoined />
      <DeviceChoice labelled />
      <SoundSettings isJoined />
      <PictureSettings />
      <LanguageChoice />
      <Button variant="primary" onClick={onClose}>
        {t.devices.done}
      </Button>
    </Dialog>
  );
}
