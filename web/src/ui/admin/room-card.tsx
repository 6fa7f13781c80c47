import { useState } from "react";
import { pathOf } from "../../admin/admin-api.ts";
import type { OpenRoom, Person } from "../../admin/types.ts";
import { useAdminApi } from "./admin-context.ts";
import { Card } from "./card.tsx";
import { Confirm } from "./confirm.tsx";
import { formatMoment } from "./format.ts";
import styles from "./parts.module.css";
import { PersonLine } from "./person-line.tsx";
import { SmallButton } from "./small-button.tsx";
import { useTexts } from "./texts/index.ts";
import { useAction } from "./use-action.ts";

/** A question before an action. */
type Question = { kind: "end" } | { kind: "remove"; person: Person };

/** One room: its people, and what may be done to them and it. */
export function RoomCard({ room, onChanged }: { room: OpenRoom; onChanged: () => void }) {
  const { t, language } = useTexts();
  const api = useAdminApi();
  const action = useAction();
  const [question, setQuestion] = useState<Question | null>(null);
  const { name, settings } = room;
  const path = pathOf("rooms", name);
  const isLocked = settings.policy?.entry === "locked";

  const run = async (act: () => Promise<unknown>, done: string) => {
    await action.run(act, done);
    onChanged();
  };
  const end = () => run(() => api.remove(path), t.rooms.ended(name));
  const muteAll = () =>
    run(() => api.post(`${path}/mute`, { sources: ["microphone"] }), t.rooms.mutedAll(name));
  const lock = () =>
    run(
      () => {
        const policy = { ...settings.policy, entry: isLocked ? "open" : "locked" };
        return api.patch(`${path}/settings`, { policy });
      },
      isLocked ? t.rooms.isUnlocked(name) : t.rooms.isLocked(name),
    );
  const remove = (person: Person) =>
    run(() => api.remove(path + pathOf("participants", person.id)), t.rooms.removed(person.name));

  return (
    <Card
      title={name}
      testId="admin-room"
      aside={
        <span className={styles.row}>
          <span className={styles.chip}>
            {t.rooms.places(room.participants, settings.capacity)}
          </span>
          <span className={styles.chip}>
            {room.topology === "mesh" ? t.rooms.mesh : t.rooms.sfu}
          </span>
          {isLocked && <span className={`${styles.chip} ${styles.bad}`}>{t.rooms.locked}</span>}
          {settings.has_password && <span className={styles.chip}>{t.rooms.password}</span>}
        </span>
      }
      lead={t.rooms.since(formatMoment(room.opened_at, language))}
    >
      {room.people.length > 0 && (
        <ul className={styles.list}>
          {room.people.map((person) => (
            <PersonLine
              key={person.id}
              person={person}
              isAlone={room.people.length === 1}
              isBusy={action.isBusy}
              onRemove={() => setQuestion({ kind: "remove", person })}
            />
          ))}
        </ul>
      )}
      {room.waiting_people.length > 0 && (
        <p className={styles.soft}>
          {t.rooms.waiting(room.waiting_people.map((one) => one.name).join(", "))}
        </p>
      )}
      {action.error && (
        <p className={styles.failure} role="alert">
          {action.error}
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms. */}
      <div className={styles.row} role="group" aria-label={t.rooms.actionsOf(name)}>
        <SmallButton onClick={muteAll} disabled={action.isBusy || room.people.length === 0}>
          {t.rooms.muteAll}
        </SmallButton>
        {settings.policy && (
          <SmallButton onClick={lock} disabled={action.isBusy}>
            {isLocked ? t.rooms.unlock : t.rooms.lock}
          </SmallButton>
        )}
        <SmallButton
          isDangerous
          data-testid="admin-end-room"
          onClick={() => setQuestion({ kind: "end" })}
          disabled={action.isBusy}
        >
          {t.rooms.end}
        </SmallButton>
      </div>
      {question?.kind === "end" && (
        <Confirm
          title={t.rooms.endTitle(name)}
          action={t.rooms.end}
          onConfirm={end}
          onClose={() => setQuestion(null)}
        >
          {t.rooms.endText(room.participants)}
        </Confirm>
      )}
      {question?.kind === "remove" && (
        <Confirm
          title={t.rooms.removeTitle(question.person.name)}
          action={t.rooms.remove}
          onConfirm={() => void remove(question.person)}
          onClose={() => setQuestion(null)}
        >
          {t.rooms.removeText}
        </Confirm>
      )}
    </Card>
  );
}
