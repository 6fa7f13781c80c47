/** The switches of what is sent: two in the preview as in the call, one in the call alone. */

import type { LocalMedia } from "../../client/index.ts";
import { keysOf } from "../call/shortcuts.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { isMac } from "../platform.ts";
import { preferences } from "../preferences.ts";
import { RoundButton } from "./round-button.tsx";

export function MicToggle() {
  const { t } = useSpeech();
  const { media } = useClient();
  const { on, wanted, opening, interrupted, problem } = useReadable(media).microphone;
  return (
    <RoundButton
      icon={on ? "mic" : "micOff"}
      label={t.controls.mic}
      tip={wanted ? t.controls.micOff : t.controls.micOn}
      keys={keysOf("mic", isMac)}
      aria-keyshortcuts={isMac ? "Meta+D" : "Control+D"}
      aria-pressed={on}
      isBad={interrupted || problem !== null}
      isBusy={opening}
      data-testid="toggle-mic"
      onClick={() => toggleMic(media)}
    />
  );
}

export function CameraToggle() {
  const { t } = useSpeech();
  const { media } = useClient();
  const { on, wanted, opening, interrupted, problem } = useReadable(media).camera;
  return (
    <RoundButton
      icon={on ? "camera" : "cameraOff"}
      label={t.controls.camera}
      tip={wanted ? t.controls.cameraOff : t.controls.cameraOn}
      keys={keysOf("camera", isMac)}
      aria-keyshortcuts={isMac ? "Meta+E" : "Control+E"}
      aria-pressed={on}
      isBad={interrupted || problem !== null}
      isBusy={opening}
      data-testid="toggle-camera"
      onClick={() => toggleCamera(media)}
    />
  );
}

/** Only where the browser can. A person who changes their mind has not failed. */
export function ScreenToggle() {
  const { t } = useSpeech();
  const { media } = useClient();
  const { on, opening, problem } = useReadable(media).screen;
  return (
    <RoundButton
      icon="screen"
      label={t.controls.screen}
      tip={on ? t.controls.screenOff : t.controls.screenOn}
      aria-pressed={on}
      isExtra
      isBad={problem !== null}
      isBusy={opening}
      data-testid="toggle-screen"
      onClick={() => void media.setScreen(!on)}
    />
  );
}

/** The choice holds for the next call too. */
export function toggleMic(media: LocalMedia): void {
  const on = !media.getSnapshot().microphone.wanted;
  preferences.write("microphone", on ? "on" : "off");
  void media.setMicrophone(on);
}

export function toggleCamera(media: LocalMedia): void {
  const on = !media.getSnapshot().camera.wanted;
  preferences.write("camera", on ? "on" : "off");
  void media.setCamera(on);
}
