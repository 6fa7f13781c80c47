import { useI18n } from "../i18n/context.tsx";
import { usePreference } from "../use-preference.ts";
import styles from "./mirror-choice.module.css";

/** Whether one's own camera is shown as in a mirror. The others never see it so. */
export function MirrorChoice() {
  const { t } = useI18n();
  const [mirror, setMirror] = usePreference("mirror");
  return (
    <label className={styles.choice}>
      <input
        type="checkbox"
        checked={mirror !== "off"}
        data-testid="mirror"
        onChange={({ target }) => setMirror(target.checked ? "on" : "off")}
      />
      {t.devices.mirror}
    </label>
  );
}
