import { BackgroundChoice } from "../devices/background-choice.tsx";
import { FlipCamera } from "../devices/flip-camera.tsx";
import { MirrorChoice } from "../devices/mirror-choice.tsx";
import { useI18n } from "../i18n/context.tsx";
import { DeviceToggle } from "../parts/media-toggles.tsx";
import { DeviceMenu } from "./device-menu.tsx";
import { DeviceRadios } from "./device-radios.tsx";

/** The camera's toggle with its menu. */
export function CameraMenu({ onSettings }: { onSettings: () => void }) {
  const { t } = useI18n();
  return (
    <DeviceMenu
      toggle={<DeviceToggle kind="camera" />}
      label={t.controls.cameraMenu}
      testId="open-camera-menu"
      onSettings={onSettings}
    >
      <DeviceRadios kind="camera" />
      <FlipCamera />
      <MirrorChoice />
      <BackgroundChoice />
    </DeviceMenu>
  );
}
