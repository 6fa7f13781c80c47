import type { Overview } from "../../admin/types.ts";
import { Empty } from "./card.tsx";
import styles from "./parts.module.css";
import { RoomCard } from "./room-card.tsx";
import { useTexts } from "./texts/index.ts";
import { usePoll } from "./use-poll.ts";

/** The open rooms, and what may be done to them. */
export function Rooms() {
  const { t } = useTexts();
  const { value, isFailing, refresh } = usePoll<Overview>("/overview");
  const rooms = value?.rooms ?? [];
  const people = rooms.reduce((sum, room) => sum + room.participants, 0);
  return (
    <div className={styles.stack} data-testid="admin-rooms">
      {isFailing && (
        <p className={styles.failure} role="alert">
          {t.unreachable}
        </p>
      )}
      {value === null ? (
        !isFailing && <p className={styles.soft}>{t.loading}</p>
      ) : rooms.length === 0 ? (
        <Empty title={t.rooms.empty}>{t.rooms.emptyHint}</Empty>
      ) : (
        <>
          <p className={styles.soft}>{t.rooms.summary(rooms.length + value.more, people)}</p>
          <div className={styles.columns}>
            {rooms.map((room) => (
              <RoomCard key={room.id} room={room} onChanged={refresh} />
            ))}
          </div>
          {value.more > 0 && <p className={styles.soft}>{t.rooms.more(value.more)}</p>}
        </>
      )}
    </div>
  );
}
