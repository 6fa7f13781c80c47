import { useEffect, useState } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useClient, useReadable } from "../client-context.ts";
import { browserOf, type DeviceAlert, deviceAlertsOf } from "../devices/device-alert.ts";
import { startOptions } from "../devices/device-alerts.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import styles from "./device-banner.module.css";

/** Banner for a camera or microphone that fails during the call, with a button to restart it. */
export function DeviceBanner() {
  const { t } = useI18n();
  const { media } = useClient();
  const state = useReadable(media);
  const announce = useAnnounce();
  const alerts = deviceAlertsOf(state, browserOf(navigator.userAgent), t);
  // The preview has already shown the alerts that exist on joining.
  const [dismissed, setDismissed] = useState<readonly string[]>(() => alerts.map(keyOf));
  const stillDismissed = dismissed.filter((key) => alerts.some((alert) => keyOf(alert) === key));
  // An alert that was resolved and recurs is shown again.
  if (stillDismissed.length < dismissed.length) setDismissed(stillDismissed);
  const alert = alerts.find((alert) => !stillDismissed.includes(keyOf(alert)));
  const text = alert && `${alert.title}. ${alert.cause} ${alert.instructions ?? ""}`;
  useEffect(() => {
    if (text) announce(text);
  }, [text, announce]);
  if (!alert) return null;
  const { title, cause, instructions, remedy, kinds } = alert;
  return (
    <div className={styles.banner} data-testid="device-banner">
      <Icon name="alert" size={20} />
      <div className={styles.text}>
        <strong>{title}</strong>
        <span>{cause}</span>
        {instructions ? <span>{instructions}</span> : null}
      </div>
      {remedy ? (
        <button
          type="button"
          className={styles.remedy}
          data-testid="device-remedy"
          onClick={() => void media.start(startOptions(kinds))}
        >
          {remedy}
        </button>
      ) : null}
      <button
        type="button"
        className={styles.dismiss}
        aria-label={t.problem.dismiss}
        title={t.problem.dismiss}
        onClick={() => setDismissed([...stillDismissed, keyOf(alert)])}
      >
        <Icon name="close" size={18} />
      </button>
    </div>
  );
}

/** Identity of an alert, independent of the language. */
function keyOf({ kinds, fault }: DeviceAlert): string {
  return [...kinds, fault.is, "problem" in fault ? fault.problem : ""].join(" ");
}
