import { useI18n } from "../i18n/context.tsx";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { clip } from "../parts/clip.ts";
import { Page } from "../parts/page.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import styles from "./call-ended.module.css";

interface Props {
  room: string;
  /** The other tab is in the call of another room. */
  otherRoom: string | null;
  /** Joins after the other tab has left this call, or has muted itself in the other one. */
  onMove: () => void;
  /** Joins as a second device, with the microphone off. */
  onSecond: () => void;
}

/** Characters of a room's name in a sentence. */
const MAX_ROOM = 24;

/**
 * Shown before joining a call that another tab of this browser is in, or while its microphone is on
 * in another call.
 */
export function Elsewhere({ room, otherRoom, onMove, onSecond }: Props) {
  const { t } = useI18n();
  return (
    <Page>
      <div className={styles.page} data-testid="elsewhere">
        <PeopleIllustration />
        <ViewTitle document={`${room} · moim`} className={styles.title}>
          {otherRoom === null
            ? t.elsewhere.title
            : t.elsewhere.otherCall(clip(otherRoom, MAX_ROOM))}
        </ViewTitle>
        <p className={styles.hint}>
          {otherRoom === null ? t.elsewhere.hint : t.elsewhere.otherCallHint}
        </p>
        <div className={styles.actions}>
          <Button variant="primary" data-testid="move-here" onClick={onMove}>
            {otherRoom === null ? t.elsewhere.move : t.elsewhere.muteThere}
          </Button>
          <Button data-testid="join-second" onClick={onSecond}>
            {t.elsewhere.second}
          </Button>
        </div>
      </div>
    </Page>
  );
}
