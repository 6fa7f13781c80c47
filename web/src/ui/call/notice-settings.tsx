import { useI18n } from "../i18n/context.tsx";
import { usePreference } from "../use-preference.ts";
import styles from "./settings.module.css";
import { SwitchRow } from "./switch-row.tsx";

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
      </div>
    </>
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
