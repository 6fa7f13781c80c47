/** Toggles for microphone, camera and screen sharing. */

import type { LocalMedia } from "moim-client";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { isMac } from "../platform.ts";
import { preferences } from "../preferences.ts";
import { RoundButton } from "./round-button.tsx";
import { keysOf } from "./shortcuts.ts";

/** What sets the toggles of the two devices apart. */
const TOGGLES = {
  microphone: {
    icons: { on: "mic", off: "micOff" },
    letter: "D",
    shortcut: "mic",
    testId: "toggle-mic",
    toggle: toggleMic,
  },
  camera: {
    icons: { on: "camera", off: "cameraOff" },
    letter: "E",
    shortcut: "camera",
    testId: "toggle-camera",
    toggle: toggleCamera,
  },
} as const;

/** Toggle of the microphone or the camera. */
export function DeviceToggle({ kind }: { kind: keyof typeof TOGGLES }) {
  const { t } = useI18n();
  const { media } = useClient();
  const { on, wanted, opening, interrupted, problem } = useReadable(media)[kind];
  const { icons, letter, shortcut, testId, toggle } = TOGGLES[kind];
  const texts = textsOf(kind, t);
  return (
    <RoundButton
      icon={on ? icons.on : icons.off}
      label={texts.label}
      tooltip={wanted ? texts.turnOff : texts.turnOn}
      shortcut={keysOf(shortcut, isMac)}
      aria-keyshortcuts={`${isMac ? "Meta" : "Control"}+${letter}`}
      aria-pressed={on}
      problem={interrupted ? texts.paused : problem === null ? null : texts.failed}
      isBusy={opening}
      data-testid={testId}
      onClick={() => toggle(media)}
    />
  );
}

function textsOf(kind: keyof typeof TOGGLES, { controls, problem }: Messages) {
  return kind === "microphone"
    ? {
        label: controls.mic,
        turnOn: controls.micOn,
        turnOff: controls.micOff,
        paused: problem.titlePausedMic,
        failed: problem.titleMic,
      }
    : {
        label: controls.camera,
        turnOn: controls.cameraOn,
        turnOff: controls.cameraOff,
        paused: problem.titlePausedCamera,
        failed: problem.titleCamera,
      };
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
