/** Toggles for microphone, camera and screen sharing. */

import type { LocalMedia } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { isMac } from "../platform.ts";
import { preferences } from "../preferences.ts";
import { RoundButton } from "./round-button.tsx";
import { keysOf } from "./shortcuts.ts";

export function MicToggle() {
  const { t } = useI18n();
  const { media } = useClient();
  const { on, wanted, opening, interrupted, problem } = useReadable(media).microphone;
  return (
    <RoundButton
      icon={on ? "mic" : "micOff"}
      label={t.controls.mic}
      tooltip={wanted ? t.controls.micOff : t.controls.micOn}
      shortcut={keysOf("mic", isMac)}
      aria-keyshortcuts={isMac ? "Meta+D" : "Control+D"}
      aria-pressed={on}
      problem={
        interrupted ? t.problem.titlePausedMic : problem === null ? null : t.problem.titleMic
      }
      isBusy={opening}
      data-testid="toggle-mic"
      onClick={() => toggleMic(media)}
    />
  );
}

export function CameraToggle() {
  const { t } = useI18n();
  const { media } = useClient();
  const { on, wanted, opening, interrupted, problem } = useReadable(media).camera;
  return (
    <RoundButton
      icon={on ? "camera" : "cameraOff"}
      label={t.controls.camera}
      tooltip={wanted ? t.controls.cameraOff : t.controls.cameraOn}
      shortcut={keysOf("camera", isMac)}
      aria-keyshortcuts={isMac ? "Meta+E" : "Control+E"}
      aria-pressed={on}
      problem={
        interrupted ? t.problem.titlePausedCamera : problem === null ? null : t.problem.titleCamera
      }
      isBusy={opening}
      data-testid="toggle-camera"
      onClick={() => toggleCamera(media)}
    />
  );
}

/** Rendered only if the browser can share screens. Cancelling the picker is not a problem. */
export function ScreenToggle() {
  const { t } = useI18n();
  const { media } = useClient();
  const { on, opening, problem } = useReadable(media).screen;
  return (
    <RoundButton
      icon="screen"
      label={t.controls.screen}
      tooltip={on ? t.controls.screenOff : t.controls.screenOn}
      aria-pressed={on}
      isOffByDefault
      problem={problem === null ? null : t.problem.titleScreen}
      isBusy={opening}
      data-testid="toggle-screen"
      onClick={() => void media.setScreen(!on)}
    />
  );
}

/** Toggles the microphone and stores the choice for the next call. */
export function toggleMic(media: LocalMedia): void {
  const on = !media.getSnapshot().microphone.wanted;
  preferences.write("microphone", on ? "on" : "off");
  void media.setMicrophone(on);
}

/** Toggles the camera and stores the choice for the next call. */
export function toggleCamera(media: LocalMedia): void {
  const on = !media.getSnapshot().camera.wanted;
  preferences.write("camera", on ? "on" : "off");
  void media.setCamera(on);
}
