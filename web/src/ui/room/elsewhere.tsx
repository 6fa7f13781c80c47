import { useI18n } from "../i18n/context.tsx";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./call-ended.module.css";

interface Props {
  room: string;
  onMove: () => void;
  /** Joins as a second device, with the microphone off. */
  onSecond: () => void;
}

/** Shown before joining a call that another tab of this browser is in. */
export function Elsewhere({ room, onMove, onSecond }: Props) {
  const { t } = useI18n();
  return (
    <Page>
      <div className={styles.page} data-testid="elsewhere">
        <PeopleIllustration />
        <ViewTitle document={`${room} · moim`} className={styles.title}>
          {t.elsewhere.title}
        </ViewTitle>
        <p className={styles.hint}>{t.elsewhere.hint}</p>
        <div className={styles.actions}>
          <Button variant="primary" data-testid="move-here" onClick={onMove}>
            {t.elsewhere.move}
          </Button>
          <Button data-testid="join-second" onClick={onSecond}>
            {t.elsewhere.second}
          </Button>
        </div>
      </div>
    </Page>
  );
}
