import type { RoomSummary } from "moim-client";
import { useEffect } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { PeopleIllustration } from "../parts/brand.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import { roomPath } from "../router.ts";
import { OtherAppRow } from "./other-app-row.tsx";
import styles from "./room-list.module.css";

/** Live list of open rooms in the server's order: rooms that can be joined from here first. */
export function RoomList() {
  const { t } = useI18n();
  const { lobby, server } = useClient();
  const { loaded, rooms, isShown } = useReadable(lobby);
  const isOffline = useReadable(server) === "offline";
  useEffect(() => lobby.open(), [lobby]);
  if (!isShown) return null;
  return (
    <section className={styles.card} aria-labelledby="rooms-title">
      <h2 id="rooms-title" className={styles.title}>
        {t.rooms.title}
      </h2>
      {isOffline && rooms.length > 0 ? (
        <p className={styles.offline} role="status">
          {t.rooms.offline}
        </p>
      ) : null}
      {rooms.length > 0 ? (
        <ul className={styles.list} data-testid="room-list">
          {rooms.map((room, i) =>
            room.dialect ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, and rows have no state.
              <li key={`${room.dialect} ${i}`}>
                <OtherAppRow room={room} />
              </li>
            ) : (
              <li key={room.name}>
                <Row room={room} isOffline={isOffline} />
              </li>
            ),
          )}
        </ul>
      ) : (
        <div className={styles.empty} data-testid="room-list" role="status">
          <PeopleIllustration />
          {isOffline ? (
            <strong>{t.rooms.offline}</strong>
          ) : loaded ? (
            <>
              <strong>{t.rooms.empty}</strong>
              <span>{t.rooms.emptyHint}</span>
            </>
          ) : (
            <strong>{t.rooms.loading}</strong>
          )}
        </div>
      )}
    </section>
  );
}

function Row({ room, isOffline }: { room: RoomSummary; isOffline: boolean }) {
  const { t } = useI18n();
  const { name, participants, capacity, locked } = room;
  const isFull = participants >= capacity;
  return (
    <Link
      to={roomPath(name)}
      className={`${styles.row} ${isOffline ? styles.unreachable : ""}`}
      aria-disabled={isOffline || undefined}
      data-testid="room-item"
      data-room={name}
    >
      <span className={styles.name}>
        <bdi>{name}</bdi>
        {locked ? (
          <span className={styles.lock} title={t.rooms.locked}>
            <Icon name="lock" size={17} />
            <VisuallyHidden>, {t.rooms.locked}</VisuallyHidden>
          </span>
        ) : null}
      </span>
      <span className={`${styles.count} ${isFull ? styles.full : ""}`}>
        <Icon name="people" size={17} />
        <span aria-hidden="true">
          {isFull ? `${t.rooms.full} ` : ""}
          {participants}/{capacity}
        </span>
        <VisuallyHidden>
          {isFull ? `${t.rooms.full}, ` : ""}
          {t.rooms.people(participants, capacity)}
        </VisuallyHidden>
      </span>
      <span className={styles.go}>
        <Icon name="next" size={18} />
      </span>
    </Link>
  );
}
