import type { Person } from "../../admin/types.ts";
import { formatRate } from "./format.ts";
import styles from "./parts.module.css";
import { gradeOf, troublesOf } from "./quality.ts";
import { SmallButton } from "./small-button.tsx";
import { type Texts, useTexts } from "./texts/index.ts";

interface Props {
  person: Person;
  /** Nobody else is there, so there is no connection to tell of. */
  isAlone: boolean;
  isBusy: boolean;
  onRemove: () => void;
}

/** One person: name, role, what it sends, and how its connection is. */
export function PersonLine({ person, isAlone, isBusy, onRemove }: Props) {
  const { t } = useTexts();
  const role = person.role ? (t.rooms.roles[person.role] ?? person.role) : null;
  return (
    <li className={styles.item} data-testid="admin-person">
      <div className={styles.itemText}>
        <span className={styles.row}>
          <strong>
            <bdi>{person.name}</bdi>
          </strong>
          {role && role !== t.rooms.roles.speaker && <span className={styles.chip}>{role}</span>}
          <Grade person={person} />
        </span>
        <span className={styles.soft}>{sentBy(person, t)}</span>
        {(person.quality || !isAlone) && (
          <span className={styles.soft}>{connectionOf(person, t)}</span>
        )}
      </div>
      <SmallButton aria-label={t.rooms.removeOf(person.name)} disabled={isBusy} onClick={onRemove}>
        {t.rooms.remove}
      </SmallButton>
    </li>
  );
}

function Grade({ person }: { person: Person }) {
  const { t } = useTexts();
  if (!person.connected) {
    return <span className={`${styles.chip} ${styles.bad}`}>{t.rooms.away}</span>;
  }
  if (!person.quality) return null;
  const grade = gradeOf(person.quality);
  const tone = grade === "good" ? styles.good : grade === "poor" ? styles.bad : "";
  return <span className={`${styles.chip} ${tone}`}>{t.quality[grade]}</span>;
}

function sentBy({ media }: Person, t: Texts): string {
  const sent = (["mic", "camera", "screen", "hand"] as const).filter((kind) => media[kind]);
  const words = sent.map((kind) => t.rooms[kind]);
  return `${t.rooms.sends}: ${words.join(", ") || t.rooms.nothing}`;
}

function connectionOf({ quality }: Person, t: Texts): string {
  if (!quality) return t.quality.measuring;
  const words: string[] = [];
  const { transport, kbps_up: up, kbps_down: down } = quality;
  if (transport) words.push(t.quality.transports[transport] ?? transport);
  if (up !== undefined && down !== undefined) {
    words.push(t.quality.rates(formatRate(up), formatRate(down)));
  }
  return [...troublesOf(quality, t.quality), ...words].join(" · ") || t.quality.measuring;
}
