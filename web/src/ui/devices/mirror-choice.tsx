import { useI18n } from "../i18n/context.tsx";
import { usePreference } from "../use-preference.ts";
import { ToggleChoice } from "./toggle-choice.tsx";

/** Whether one's own camera is shown as in a mirror. The others never see it so. */
export function MirrorChoice() {
  const { t } = useI18n();
  const [mirror, setMirror] = usePreference("mirror");
  return (
    <ToggleChoice
      checked={mirror !== "off"}
      testId="mirror"
      onChange={(checked) => setMirror(checked ? "on" : "off")}
    >
      {t.devices.mirror}
    </ToggleChoice>
  );
}
