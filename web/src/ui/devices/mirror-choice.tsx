import { useI18n } from "../i18n/context.tsx";
import { ToggleChoice } from "../parts/toggle-choice.tsx";
import { usePreference } from "../use-preference.ts";

/** The choice to show one's own camera as in a mirror. Others never see it so. */
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
