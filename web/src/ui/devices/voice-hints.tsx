import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { toggleMic } from "../parts/media-toggles.tsx";
import { usePreference } from "../use-preference.ts";
import { Hint } from "./hint.tsx";

interface Props {
  /** The others would hear the person, were the microphone not muted. */
  isHeard: boolean;
}

/** Says that the person speaks while muted, or that nothing arrives from the microphone. */
export function VoiceHints({ isHeard }: Props) {
  const [mutedHint] = usePreference("mutedHint");
  const [silentHint] = usePreference("silentHint");
  // Nothing is measured for people who want neither.
  const isMutedWatched = isHeard && mutedHint !== "off";
  return isMutedWatched || silentHint !== "off" ? <Watched isHeard={isHeard} /> : null;
}

function Watched({ isHeard }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const hint = useReadable(media.voice);
  const [mutedHint, setMutedHint] = usePreference("mutedHint");
  const [silentHint, setSilentHint] = usePreference("silentHint");
  if (hint === "muted" && isHeard && mutedHint !== "off") {
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
