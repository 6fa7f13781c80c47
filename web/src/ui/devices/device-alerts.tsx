import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Alert } from "../parts/alert.tsx";
import { browserOf, type DeviceAlert, deviceAlertsOf } from "./device-alert.ts";
import styles from "./device-alerts.module.css";

/** Alerts for a camera or microphone that fails, with remedies. Joining works regardless. */
export function DeviceAlerts({ isJoined = false }: { isJoined?: boolean }) {
  const { t } = useI18n();
  const { media } = useClient();
  const state = useReadable(media);
  const alerts = deviceAlertsOf(state, browserOf(navigator.userAgent), t);
  if (alerts.length === 0) return null;
  // Alerts with the same remedy share one button.
  const kindsWith = (remedy: string) =>
    alerts.flatMap((alert) => (alert.remedy === remedy ? alert.kinds : []));
  return alerts.map(({ title, cause, instructions, remedy }, i) => {
    const isLast = i === alerts.length - 1;
    return (
      <Alert key={title} tone="warning" title={title} testId="device-problem">
        <p>{cause}</p>
        {instructions ? <p>{instructions}</p> : null}
        {isLast && !isJoined ? <p>{t.problem.joinAnyway}</p> : null}
        {remedy && !alerts.slice(i + 1).some((later) => later.remedy === remedy) ? (
          <button
            type="button"
            className={styles.remedy}
            onClick={() => void media.start(startOptions(kindsWith(remedy)))}
          >
            {remedy}
          </button>
        ) : null}
      </Alert>
    );
  });
}

/** Argument of `LocalMedia.start` that starts these devices. */
export function startOptions(kinds: DeviceAlert["kinds"]): {
  camera: boolean;
  microphone: boolean;
} {
  return { camera: kinds.includes("camera"), microphone: kinds.includes("microphone") };
}
