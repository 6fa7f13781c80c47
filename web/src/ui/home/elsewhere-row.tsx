import type { RoomSummary } from "../../client/index.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Hidden } from "../parts/hidden.tsx";
import { Icon } from "../parts/icon.tsx";
import styles from "./room-list.module.css";

/** A room where the clients of another protocol meet: to be seen, not to be joined. */
export function ElsewhereRow({ room }: { room: RoomSummary }) {
  const { t } = useSpeech();
  const { name, participants } = room;
  return (
    <div
      className={`${styles.row} ${styles.elsewhere}`}
      data-testid="room-elsewhere"
      data-room={name}
    >
      <span className={styles.where}>
        <span className={styles.name}>
          <bdi>{name}</bdi>
        </span>
        <Hidden>, </Hidden>
        <small>{t.rooms.elsewhere}</small>
      </span>
      <Hidden>, </Hidden>
      <span className={styles.count}>
        <Icon name="people" size={17} />
        <span aria-hidden="true">{participants}</span>
        <Hidden>{t.rooms.peopleElsewhere(participants)}</Hidden>
      </span>
    </div>
  );
}
