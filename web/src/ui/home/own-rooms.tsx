import { type ComponentProps, useState } from "react";
import { useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { InviteDialog } from "../invite/invite-dialog.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { IconButton } from "../parts/icon-button.tsx";
import { Link } from "../parts/link.tsx";
import { type VisitedRoom, visitedRooms } from "../room/visited-rooms.ts";
import { roomPath } from "../router.ts";
import styles from "./own-rooms.module.css";
import { timeAgo } from "./time-ago.ts";

/** Rooms in which this browser has been; nothing before the first. */
export function OwnRooms() {
  const { t } = useI18n();
  const rooms = useReadable(visitedRooms);
  const [isAsking, setAsking] = useState(false);
  if (rooms.length === 0) return null;
  return (
    <section className={styles.card} aria-labelledby="own-rooms-title" data-testid="own-rooms">
      <div className={styles.head}>
        <h2 id="own-rooms-title" className={styles.title}>
          {t.reach.mine.title}
        </h2>
        <Button variant="plain" data-testid="forget-rooms" onClick={() => setAsking(true)}>
          {t.reach.mine.forgetAll}
        </Button>
      </div>
      <ul className={styles.list}>
        {rooms.map((room) => (
          <li key={room.name} className={styles.row} data-testid="own-room" data-room={room.name}>
            <Row room={room} />
          </li>
        ))}
      </ul>
      {isAsking ? (
        <Dialog title={t.reach.mine.forgetAll} onClose={() => setAsking(false)}>
          <p>{t.reach.mine.forgetAllWhy}</p>
          <div className={styles.actions}>
            <Button
              variant="primary"
              data-testid="forget-rooms-yes"
              onClick={() => visitedRooms.forgetAll()}
            >
              {t.reach.mine.forgetAll}
            </Button>
            <Button onClick={() => setAsking(false)}>{t.reach.mine.keep}</Button>
          </div>
        </Dialog>
      ) : null}
    </section>
  );
}

function Row({ room: { name, at, isPinned } }: { room: VisitedRoom }) {
  const { t, language } = useI18n();
  const [isInviting, setInviting] = useState(false);
  return (
    <>
      <Link to={roomPath(name)} className={styles.link}>
        <bdi className={styles.name}>{name}</bdi>
        <small className={styles.when}>
          {timeAgo(at, Date.now(), language) ?? t.reach.mine.justNow}
        </small>
      </Link>
      <span className={styles.tools}>
        <Tool
          icon="pin"
          label={isPinned ? t.reach.mine.unpin(name) : t.reach.mine.pin(name)}
          aria-pressed={isPinned}
          data-testid="pin-room"
          onClick={() => visitedRooms.pin(name, !isPinned)}
        />
        <Tool
          icon="link"
          label={t.reach.mine.invite(name)}
          data-testid="invite-to-room"
          onClick={() => setInviting(true)}
        />
        <Tool
          icon="close"
          label={t.reach.mine.remove(name)}
          data-testid="remove-room"
          onClick={() => visitedRooms.remove(name)}
        />
      </span>
      {isInviting ? <InviteDialog room={name} onClose={() => setInviting(false)} /> : null}
    </>
  );
}

function Tool(props: ComponentProps<typeof IconButton>) {
  return <IconButton {...props} isTool iconSize={18} title={props.label} />;
}
