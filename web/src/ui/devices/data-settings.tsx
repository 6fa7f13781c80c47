import type { Reception, SendLimit } from "moim-client";
import { useId } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Select } from "../parts/field.tsx";
import { usePreference } from "../use-preference.ts";
import styles from "./settings.module.css";

const RECEPTIONS: readonly Reception[] = ["all", "less", "sound"];
const LIMITS: readonly SendLimit[] = ["auto", "low", "saver"];

/** Settings of how much video is received and sent. */
export function DataSettings() {
  const { t } = useI18n();
  const hintId = useId();
  const [receive, setReceive] = usePreference("receive");
  const [send, setSend] = usePreference("send");
  return (
    <section className={styles.section} aria-label={t.sound.data}>
      <Select
        label={t.sound.receive}
        icon="people"
        value={receive ?? "all"}
        aria-describedby={receive === "less" ? hintId : undefined}
        data-testid="receive"
        onSelect={(value) => {
          const choice = RECEPTIONS.find((choice) => choice === value);
          if (choice) setReceive(choice);
        }}
      >
        {RECEPTIONS.map((choice) => (
          <option key={choice} value={choice}>
            {t.sound.receiveOf[choice]}
          </option>
        ))}
      </Select>
      {/* Other participants send one video to all: only the media server has smaller ones. */}
      {receive === "less" ? <p id={hintId}>{t.sound.receiveLessHint}</p> : null}
      <Select
        label={t.sound.send}
        icon="camera"
        value={send ?? "auto"}
        data-testid="send-quality"
        onSelect={(value) => {
          const choice = LIMITS.find((choice) => choice === value);
          if (choice) setSend(choice);
        }}
      >
        {LIMITS.map((choice) => (
          <option key={choice} value={choice}>
            {t.sound.sendOf[choice]}
          </option>
        ))}
      </Select>
    </section>
  );
}
