import { useI18n } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./joining.module.css";

interface Props {
  room: string;
  /** Gives up returning to a call; null if the page does not return to one. */
  onStayOut: (() => void) | null;
}

/** Shown while a join without preview is in progress. */
export function Joining({ room, onStayOut }: Props) {
  const { t } = useI18n();
  return (
    <main className={styles.joining}>
      <span className={styles.mark}>
        <Mark size={56} />
      </span>
      <ViewTitle document={`${room} · moim`} className={styles.text}>
        {onStayOut ? t.comingBack.title : t.call.joining}
      </ViewTitle>
      {onStayOut ? (
        <Button data-testid="stay-out" onClick={onStayOut}>
          {t.comingBack.stayOut}
        </Button>
      ) : null}
    </main>
  );
}
