import { useEffect } from "react";
import { useAnnounce } from "../announcer.tsx";
import { useI18n } from "../i18n/context.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import styles from "./hint.module.css";

interface Props {
  icon: IconName;
  title: string;
  text: string;
  /** What helps; null if nothing on this page does. */
  action?: { label: string; run: () => void } | null;
  testId: string;
  onDismiss: () => void;
  onNeverAgain: () => void;
}

/** A hint about sound or picture that can be dismissed, also for good. */
export function Hint({ icon, title, text, action, testId, onDismiss, onNeverAgain }: Props) {
  const { t } = useI18n();
  const announce = useAnnounce();
  useEffect(() => announce(`${title}. ${text}`), [title, text, announce]);
  return (
    <div className={styles.hint} data-testid={testId} data-hint>
      <Icon name={icon} size={20} />
      <div className={styles.text}>
        <strong>{title}</strong>
        <span>{text}</span>
      </div>
      <button
        type="button"
        className={styles.close}
        aria-label={t.problem.dismiss}
        title={t.problem.dismiss}
        onClick={onDismiss}
      >
        <Icon name="close" size={18} />
      </button>
      <div className={styles.actions}>
        {action ? (
          <button
            type="button"
            className={styles.action}
            data-testid={`${testId}-action`}
            onClick={action.run}
          >
            {action.label}
          </button>
        ) : null}
        <button
          type="button"
          className={styles.never}
          data-testid={`${testId}-never`}
          onClick={onNeverAgain}
        >
          {t.sound.neverAgain}
        </button>
      </div>
    </div>
  );
}
