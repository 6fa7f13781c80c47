import { useSpeech } from "../i18n/context.tsx";
import styles from "./alike-mark.module.css";

/** Beside the name of somebody who is not the first here with a name that looks so. */
export function AlikeMark({ alike }: { alike: number | undefined }) {
  const { t } = useSpeech();
  if (alike === undefined) return null;
  const label = t.call.alike(alike);
  return (
    <span className={styles.mark} role="img" aria-label={label} title={label} data-testid="alike">
      {alike}
    </span>
  );
}
