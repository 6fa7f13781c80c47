import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { toggleMic } from "../parts/media-toggles.tsx";
import { usePreference } from "../use-preference.ts";
import { Hint } from "./hint.tsx";

/** Says that the person speaks while muted, or that nothing arrives from the microphone. */
export function VoiceHints() {
  const [mutedHint] = usePreference("mutedHint");
  const [silentHint] = usePreference("silentHint");
  // Nothing is measured for people who want neither.
  return mutedHint === "off" && silentHint === "off" ? null : <Watched />;
}

function Watched() {
  const { t } = useI18n();
  const { media } = useClient();
  const hint = useReadable(media.voice);
  const [mutedHint, setMutedHint] = usePreference("mutedHint");
  const [silentHint, setSilentHint] = usePreference("silentHint");
  if (hint === "muted" && mutedHint !== "off") {
    return (
      <Hint
        icon="micOff"
        title={t.sound.muted}
        text={t.sound.mutedHint}
        action={{ label: t.controls.micOn, run: () => toggleMic(media) }}
        testId="muted-hint"
        onDismiss={media.voice.dismiss}
        onNeverAgain={() => setMutedHint("off")}
      />
    );
  }
  if (hint === "silent" && silentHint !== "off") {
    return (
      <Hint
        icon="alert"
        title={t.sound.silent}
        text={t.sound.silentHint}
        testId="silent-hint"
        onDismiss={media.voice.dismiss}
        onNeverAgain={() => setSilentHint("off")}
      />
    );
  }
  return null;
}
