import { useI18n } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./joining.module.css";

/** Shown while a join without preview is in progress. */
export function Joining({ room }: { room: string }) {
  const { t } = useI18n();
  return (
    <main className={styles.joining}>
      <span className={styles.mark}>
        <Mark size={56} />
      </span>
      <ViewTitle document={`${room} · moim`} className={styles.text}>
        {t.call.joining}
      </ViewTitle>
    </main>
  );
}
