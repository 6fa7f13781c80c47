import { Label, Radio, RadioGroup } from "react-aria-components";
import { useTheme } from "../appearance.ts";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import type { Preference } from "../preferences.ts";
import { usePreference } from "../use-preference.ts";
import styles from "./settings.module.css";
import { SwitchRow } from "./switch-row.tsx";

const THEMES = ["system", "light", "dark"] as const;

/** Colours and movement. */
export function AccessSettings() {
  const { t } = useI18n();
  const [theme, setTheme] = useTheme();
  const [motion, setMotion] = usePreference("motion");
  return (
    <>
      <RadioGroup
        className={cx(styles.choice)}
        value={theme}
        onChange={(theme) => setTheme(theme as Preference<"theme">)}
        data-testid="theme"
      >
        <Label className={cx(styles.label)}>{t.settings.theme}</Label>
        <div className={styles.segments}>
          {THEMES.map((each) => (
            <Radio
              key={each}
              value={each}
              className={cx(styles.segment)}
              data-testid={`theme-${each}`}
            >
              {t.settings.themes[each]}
            </Radio>
          ))}
        </div>
      </RadioGroup>
      <div className={styles.rows}>
        <SwitchRow
          label={t.settings.reduceMotion}
          hint={t.settings.reduceMotionHint}
          isOn={motion === "reduced"}
          testId="motion"
          onChange={(isOn) => setMotion(isOn ? "reduced" : "system")}
        />
      </div>
    </>
  );
}
