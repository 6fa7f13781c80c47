import type { CallState } from "../../client/index.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Mark } from "../parts/brand.tsx";
import { Icon } from "../parts/icon.tsx";
import styles from "./call-head.module.css";

/** Which room, how many, and which way the pictures travel. */
export function CallHead({ call }: { call: CallState }) {
  const { t } = useSpeech();
  const { room, topology, others } = call;
  const way = topology === "mesh" ? t.call.mesh : t.call.sfu;
  return (
    <header className={styles.head}>
      <span className={styles.room}>
        <Mark size={24} />
        <bdi>{room.name}</bdi>
        {room.locked ? <Icon name="lock" size={16} /> : null}
      </span>
      <span className={styles.quiet}>{t.call.people(others.length + 1)}</span>
      <span
        className={`${styles.quiet} ${styles.end}`}
        role="img"
        aria-label={way}
        title={way}
        data-testid="topology"
        data-topology={topology}
      >
        <Icon name={topology === "mesh" ? "direct" : "server"} size={20} />
      </span>
    </header>
  );
}
