import type { Call, CallState } from "moim-client";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Icon } from "../parts/icon.tsx";
import styles from "./banners.module.css";
import { type Outage, outageOf } from "./outage.ts";

/** Shown while the server is out of reach: what works nevertheless, for how long, what to do. */
export function ConnectionBanner({ call, state }: { call: Call; state: CallState }) {
  const { t } = useI18n();
  const client = useClient();
  const seconds = useElapsed();
  const isOnline = useIsOnline();
  const latest = useReadable(call.statistics).samples.at(-1);
  const outage = outageOf(state, { seconds, isOnline, ...(latest && { latest }) });
  const tone = outage === "away" ? styles.quiet : "";
  return (
    <div className={`${styles.banner} ${tone}`} data-testid="reconnecting" data-outage={outage}>
      <Icon name={outage === "away" ? "direct" : "alert"} size={20} />
      <span className={styles.text}>
        {textOf(outage, t)} <span className={styles.seconds}>{t.call.seconds(seconds)}</span>
      </span>
      <button
        type="button"
        className={styles.action}
        data-testid="try-now"
        onClick={() => client.wake()}
      >
        {t.call.tryNow}
      </button>
      {outage === "trying" ? (
        <button type="button" className={styles.action} onClick={() => call.leave()}>
          {t.controls.leave}
        </button>
      ) : null}
    </div>
  );
}

function textOf(outage: Outage, { call }: Messages): string {
  switch (outage) {
    case "away":
      return call.serverAway;
    case "lost":
      return call.lost;
    case "trying":
      return call.stillTrying;
    case "offline":
      return call.deviceOffline;
  }
}

/** Seconds since the component appeared. */
function useElapsed(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const start = performance.now();
    const tick = () => setSeconds(Math.round((performance.now() - start) / 1000));
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}

function useIsOnline(): boolean {
  return useSyncExternalStore(
    (changed) => {
      addEventListener("online", changed);
      addEventListener("offline", changed);
      return () => {
        removeEventListener("online", changed);
        removeEventListener("offline", changed);
      };
    },
    () => navigator.onLine,
  );
}
