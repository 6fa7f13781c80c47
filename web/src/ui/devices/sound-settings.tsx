import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Select } from "../parts/field.tsx";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import { hasKeyboard } from "../platform.ts";
import { usePreference } from "../use-preference.ts";
import styles from "./settings.module.css";
import { NOISE_CHOICES } from "./sound-processing.ts";
import { SoundTests } from "./sound-tests.tsx";

/** Tests of speaker and microphone, and how the microphone is processed. */
export function SoundSettings({ isJoined = false }: { isJoined?: boolean }) {
  const { t } = useI18n();
  const { hasFilterFailed } = useReadable(useClient().media);
  const [noise, setNoise] = usePreference("noise");
  const [autoGain, setAutoGain] = usePreference("autoGain");
  const [music, setMusic] = usePreference("music");
  const [pushToTalk, setPushToTalk] = usePreference("pushToTalk");
  const isMusic = music === "on";
  return (
    <section className={styles.section} aria-label={t.sound.sound}>
      <SoundTests isJoined={isJoined} />
      <Select
        label={t.sound.noise}
        icon="mic"
        value={isMusic ? "off" : (noise ?? "browser")}
        disabled={isMusic}
        data-testid="noise"
        onSelect={(value) => {
          const choice = NOISE_CHOICES.find((choice) => choice === value);
          if (choice) setNoise(choice);
        }}
      >
        {NOISE_CHOICES.map((choice) => (
          <option key={choice} value={choice}>
            {t.sound.noiseOf[choice]}
          </option>
        ))}
      </Select>
      {hasFilterFailed ? (
        <p role="status" data-testid="noise-failed">
          {t.sound.noiseFailed}
        </p>
      ) : null}
      <ToggleChoice
        checked={autoGain !== "off" && !isMusic}
        disabled={isMusic}
        testId="auto-gain"
        onChange={(checked) => setAutoGain(checked ? "on" : "off")}
      >
        {t.sound.autoGain}
      </ToggleChoice>
      <ToggleChoice
        checked={isMusic}
        hint={t.sound.musicHint}
        testId="music"
        onChange={(checked) => setMusic(checked ? "on" : "off")}
      >
        {t.sound.music}
      </ToggleChoice>
      {hasKeyboard ? (
        <ToggleChoice
          checked={pushToTalk === "on"}
          hint={t.sound.pushToTalkHint}
          testId="push-to-talk"
          onChange={(checked) => setPushToTalk(checked ? "on" : "off")}
        >
          {t.sound.pushToTalk}
        </ToggleChoice>
      ) : null}
    </section>
  );
}
