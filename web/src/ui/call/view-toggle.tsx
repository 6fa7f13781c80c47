import { useI18n } from "../i18n/context.tsx";
import { HeadTool } from "./head-tool.tsx";

interface Props {
  isSpeakerView: boolean;
  onView: (isSpeakerView: boolean) => void;
}

/** Switch of the layout, in the head. */
export function ViewToggle({ isSpeakerView, onView }: Props) {
  const { t } = useI18n();
  return (
    <HeadTool
      icon="speakerView"
      label={t.controls.speakerView}
      tooltip={isSpeakerView ? t.controls.gridView : t.controls.speakerView}
      aria-pressed={isSpeakerView}
      data-testid="toggle-view"
      onClick={() => onView(!isSpeakerView)}
    />
  );
}
