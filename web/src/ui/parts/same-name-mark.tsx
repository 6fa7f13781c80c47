import { useI18n } from "../i18n/context.tsx";
import styles from "./same-name-mark.module.css";

/** Number beside a name that looks like an earlier participant's. */
export function SameNameMark({ alike }: { alike: number | undefined }) {
  const { t } = useI18n();
  if (alike === undefined) return null;
  const label = t.call.sameName(alike);
  return (
    <span className={styles.mark} role="img" aria-label={label} title={label} data-testid="alike">
      {alike}
    </span>
  );
}
