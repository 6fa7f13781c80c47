import { useSpeech } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./waiting.module.css";

/** While the server lets one in. */
export function Waiting({ room }: { room: string }) {
  const { t } = useSpeech();
  return (
    <main className={styles.waiting}>
      <span className={styles.mark}>
        <Mark size={56} />
      </span>
      <ViewTitle document={`${room} · moim`} className={styles.text}>
        {t.call.joining}
      </ViewTitle>
    </main>
  );
}
