import type { CallState } from "../../client/index.ts";
import { useI18n } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { Icon } from "../parts/icon.tsx";
import { VisuallyHidden } from "../parts/visually-hidden.tsx";
import styles from "./call-head.module.css";

interface Props {
  call: CallState;
  isSpeakerView: boolean;
  onView: (isSpeakerView: boolean) => void;
  onStats: () => void;
  onPeople: () => void;
}

/** Call header: room name, participant count, topology, statistics and layout switch. */
export function CallHead({ call, isSpeakerView, onView, onStats, onPeople }: Props) {
  const { t } = useI18n();
  const { room, topology, others, waiting, policy } = call;
  const route = topology === "mesh" ? t.call.mesh : t.call.sfu;
  return (
    <header className={styles.head}>
      <span className={styles.room}>
        <Mark size={24} />
        <bdi>{room.name}</bdi>
        {room.locked || policy?.entry === "locked" ? <Icon name="lock" size={16} /> : null}
      </span>
      <button
        type="button"
        className={styles.people}
        aria-haspopup="dialog"
        data-testid="open-people"
        onClick={onPeople}
      >
        <Icon name="people" size={18} />
        {t.people.open(others.length + 1)}
        {waiting.length > 0 ? (
          <span className={styles.waiting}>
            <span aria-hidden="true">{waiting.length}</span>
            <VisuallyHidden>{t.people.waitingCount(waiting.length)}</VisuallyHidden>
          </span>
        ) : null}
      </button>
      <span
        className={`${styles.quiet} ${styles.end}`}
        role="img"
        aria-label={route}
        title={route}
        data-testid="topology"
        data-topology={topology}
      >
        <Icon name={topology === "mesh" ? "direct" : "server"} size={20} />
      </span>
      <span className={styles.tools}>
        <button
          type="button"
          className={styles.tool}
          aria-label={t.controls.stats}
          title={t.controls.stats}
          aria-haspopup="dialog"
          data-testid="open-stats"
          onClick={onStats}
        >
          <Icon name="stats" size={20} />
        </button>
        {/* With two people there is only one view. */}
        {others.length > 1 ? (
          <button
            type="button"
            className={styles.tool}
            aria-label={t.controls.speakerView}
            title={isSpeakerView ? t.controls.gridView : t.controls.speakerView}
            aria-pressed={isSpeakerView}
            data-testid="toggle-view"
            onClick={() => onView(!isSpeakerView)}
          >
            <Icon name="speakerView" size={20} />
          </button>
        ) : null}
      </span>
    </header>
  );
}
