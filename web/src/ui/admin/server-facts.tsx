import type { ServerState } from "../../admin/types.ts";
import { Card } from "./card.tsx";
import { formatBytes, formatMoment } from "./format.ts";
import styles from "./parts.module.css";
import { percent } from "./quality.ts";
import { useTexts } from "./texts/index.ts";

/** Share of a shard's time from which on packets wait, thousandths. */
const BUSY = 800;

/** Version, load and memory of the server. */
export function ServerFacts({ state }: { state: ServerState }) {
  const { t, language } = useTexts();
  const busiest = Math.max(0, ...state.busy_permille);
  const word = state.draining
    ? t.server.draining
    : state.ready
      ? t.server.ready
      : t.server.notReady;
  return (
    <Card
      title={t.server.state}
      testId="admin-server"
      aside={
        <span className={`${styles.chip} ${state.ready ? styles.good : styles.bad}`}>{word}</span>
      }
    >
      <dl className={styles.facts}>
        <dt>{t.server.version}</dt>
        <dd>moim {state.version}</dd>
        <dt>{t.server.since}</dt>
        <dd>{formatMoment(state.started_at, language)}</dd>
        <dt>{t.server.load}</dt>
        <dd className={busiest >= BUSY ? styles.failure : undefined}>
          {state.busy_permille.map(percent).join(" · ")}
        </dd>
        {state.memory_bytes !== undefined && (
          <>
            <dt>{t.server.memory}</dt>
            <dd>{formatBytes(state.memory_bytes)}</dd>
          </>
        )}
        <dt>{t.server.people}</dt>
        <dd>{t.rooms.summary(state.rooms, state.participants)}</dd>
        <dt>{t.server.connections}</dt>
        <dd>{state.connections}</dd>
        <dt>{t.server.store}</dt>
        <dd>{state.has_store ? t.server.hasStore : t.server.hasNoStore}</dd>
      </dl>
    </Card>
  );
}
