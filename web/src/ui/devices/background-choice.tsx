import { useId } from "react";
import { useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { usePreference } from "../use-preference.ts";
import {
  BACKGROUNDS,
  type Background,
  canChangeBackground,
  isBackgroundSlow,
  PICTURES,
} from "./background.ts";
import styles from "./background-choice.module.css";

const ICONS: Readonly<Partial<Record<Background, IconName>>> = {
  none: "person",
  slight: "blur",
  strong: "blurMore",
};

/** What stands behind the person in the own picture; nothing where it can't be changed. */
export function BackgroundChoice() {
  const { t } = useI18n();
  const name = useId();
  const [background = "none", setBackground] = usePreference("background");
  const isSlow = useReadable(isBackgroundSlow);
  if (!canChangeBackground) return null;
  return (
    <fieldset className={styles.choice} data-testid="background">
      <legend className={styles.legend}>{t.sound.background}</legend>
      <div className={styles.options}>
        {BACKGROUNDS.map((each) => {
          const icon = ICONS[each];
          return (
            <label key={each} className={styles.option}>
              <input
                type="radio"
                name={name}
                value={each}
                checked={each === background}
                className={styles.input}
                data-testid={`background-${each}`}
                onChange={() => setBackground(each)}
              />
              <span className={styles.picture}>
                {icon ? <Icon name={icon} size={24} /> : <img src={PICTURES[each]} alt="" />}
              </span>
              <span className={styles.name}>{t.sound.backgroundOf[each]}</span>
            </label>
          );
        })}
      </div>
      {isSlow && (
        <p className={styles.slow} data-testid="background-slow">
          {t.sound.slowBackgroundHint}
        </p>
      )}
    </fieldset>
  );
}
