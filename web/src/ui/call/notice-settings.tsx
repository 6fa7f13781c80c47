import { useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { usePreference } from "../use-preference.ts";
import styles from "./settings.module.css";
import { SwitchRow } from "./switch-row.tsx";
import { askForDesktopNotices, hasDesktopNotices } from "./use-desktop-notices.ts";

const KINDS = ["toldComings", "toldHands", "toldMessages"] as const;

/** Settings of the notices during a call. */
export function NoticeSettings() {
  const { t } = useI18n();
  return (
    <>
      <p className={styles.lead}>{t.settings.noticesHint}</p>
      <div className={styles.rows}>
        {KINDS.map((kind) => (
          <NoticeRow key={kind} kind={kind} />
        ))}
        {hasDesktopNotices ? <OutsideRow /> : null}
      </div>
    </>
  );
}

/** The browser asks when it is turned on. */
function OutsideRow() {
  const { t } = useI18n();
  const [choice, choose] = usePreference("toldOutside");
  const [isRefused, setRefused] = useState(false);
  const turn = async (isOn: boolean) => {
    const isAllowed = !isOn || (await askForDesktopNotices());
    setRefused(!isAllowed);
    choose(isOn && isAllowed ? "on" : "off");
  };
  return (
    <SwitchRow
      label={t.settings.toldOutside}
      hint={isRefused ? t.settings.toldOutsideRefused : t.settings.toldOutsideHint}
      isOn={choice === "on" && Notification.permission === "granted"}
      testId="toldOutside"
      onChange={(isOn) => void turn(isOn)}
    />
  );
}

function NoticeRow({ kind }: { kind: (typeof KINDS)[number] }) {
  const { t } = useI18n();
  const [choice, choose] = usePreference(kind);
  return (
    <SwitchRow
      label={t.settings[kind]}
      isOn={choice !== "off"}
      testId={kind}
      onChange={(isOn) => choose(isOn ? "on" : "off")}
    />
  );
}
