import { useI18n } from "../i18n/context.tsx";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./call-ended.module.css";

/** Shown in the waiting room, until a host decides. */
export function Waiting({ room, onCancel }: { room: string; onCancel: () => void }) {
  const { t } = useI18n();
  const title = t.waitingRoom.title(room);
  return (
    <Page>
      <div className={styles.page} data-testid="waiting">
        <PeopleIllustration />
        <ViewTitle document={`${title} · moim`} className={styles.title}>
          {title}
        </ViewTitle>
        <p className={styles.hint} role="status">
          {t.waitingRoom.hint}
        </p>
        <p className={styles.hint}>{t.reach.waiting.since}</p>
        <div className={styles.actions}>
          <Button data-testid="stop-waiting" onClick={onCancel}>
            {t.waitingRoom.cancel}
          </Button>
        </div>
      </div>
    </Page>
  );
}
