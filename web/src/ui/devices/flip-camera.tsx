import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icon.tsx";
import { RoundButton } from "../parts/round-button.tsx";

/** Switches between the two cameras of a phone; nothing on other devices. */
export function FlipCamera() {
  const { t } = useI18n();
  const { media } = useClient();
  const { canFlipCamera } = useReadable(media);
  if (!canFlipCamera) return null;
  return (
    <Button data-testid="flip-camera" onClick={() => void media.flipCamera()}>
      <Icon name="flip" size={20} />
      {t.sound.flip}
    </Button>
  );
}

/** The same beside the toggle of the camera. */
export function FlipCameraRound() {
  const { t } = useI18n();
  const { media } = useClient();
  const { canFlipCamera, camera } = useReadable(media);
  if (!canFlipCamera) return null;
  return (
    <RoundButton
      icon="flip"
      label={t.sound.flip}
      isBusy={camera.opening}
      isOffByDefault
      data-testid="flip-camera"
      onClick={() => void media.flipCamera()}
    />
  );
}
