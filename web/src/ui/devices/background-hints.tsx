import { useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { Button } from "../parts/button.tsx";
import { usePreference } from "../use-preference.ts";
import { isBackgroundSlow } from "./background.ts";
import { Hint } from "./hint.tsx";

/** Says that the background can't be changed, so that nothing of the camera is sent. */
export function BackgroundFailure() {
  const { t } = useI18n();
  const { hasCameraFilterFailed } = useReadable(useClient().media);
  const [, setBackground] = usePreference("background");
  if (!hasCameraFilterFailed) return null;
  return (
    <Alert tone="warning" title={t.sound.backgroundFailed} testId="background-failed">
      <p>{t.sound.backgroundFailedHint}</p>
      <Button data-testid="background-off" onClick={() => setBackground("none")}>
        {t.sound.backgroundOff}
      </Button>
    </Alert>
  );
}

/** Says that the changed background makes the own picture stutter, and offers to turn it off. */
export function SlowBackgroundHint() {
  const { t } = useI18n();
  const isSlow = useReadable(isBackgroundSlow);
  const [, setBackground] = usePreference("background");
  const [slowHint, setSlowHint] = usePreference("slowHint");
  const [isDismissed, setDismissed] = useState(false);
  if (!isSlow || isDismissed || slowHint === "off") return null;
  return (
    <Hint
      icon="alert"
      title={t.sound.slowBackground}
      text={t.sound.slowBackgroundHint}
      action={{ label: t.sound.backgroundOff, run: () => setBackground("none") }}
      testId="slow-background-hint"
      onDismiss={() => setDismissed(true)}
      onNeverAgain={() => setSlowHint("off")}
    />
  );
}
