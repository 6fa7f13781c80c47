import type { RoomSummary } from "moim-client";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import styles from "./room-list.module.css";

/** A room of clients that speak another dialect: listed, but not joinable from this page. */
export function OtherAppRow({ room }: { room: RoomSummary }) {
  const { t } = useI18n();
  const { name, participants } = room;
  return (
    <div
      className={`${styles.row} ${styles.otherApp}`}
      data-testid="room-elsewhere"
      data-room={name}
    >
      <span className={styles.description}>
        <span className={styles.name}>
          <bdi>{name}</bdi>
        </span>
        <VisuallyHidden>, </VisuallyHidden>
        <small>{t.rooms.otherApp}</small>
      </span>
      <VisuallyHidden>, </VisuallyHidden>
      <span className={styles.count}>
        <Icon name="people" size={17} />
        <span aria-hidden="true">{participants}</span>
        <VisuallyHidden>{t.rooms.peopleInOtherApp(participants)}</VisuallyHidden>
      </span>
    </div>
  );
}
