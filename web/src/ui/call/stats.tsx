import type { Call, CallState, Flow, Line, Moment } from "../../client/index.ts";
import { useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import type { Messages } from "../i18n/en.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Sparkline } from "./sparkline.tsx";
import styles from "./stats.module.css";
import { milliseconds, percent, pictureOf, rate } from "./stats-words.ts";

interface Props {
  call: Call;
  state: CallState;
  onClose: () => void;
}

/** How the links do, in numbers, now and over the last minutes. */
export function Stats({ call, state, onClose }: Props) {
  const { t } = useSpeech();
  const { lines, moments } = useReadable(call.statistics);
  const nameOf = (id: string) => state.others.find((other) => other.id === id)?.name ?? "";
  return (
    <Dialog title={t.stats.title} onClose={onClose} isWide>
      {lines.length === 0 ? (
        <p>{t.stats.waiting}</p>
      ) : (
        <div className={styles.stats} data-testid="stats">
          <OverTime moments={moments} />
          {lines.map((line) => (
            <LineTable key={line.to} line={line} nameOf={nameOf} />
          ))}
        </div>
      )}
    </Dialog>
  );
}

function OverTime({ moments }: { moments: readonly Moment[] }) {
  const { t } = useSpeech();
  const now = moments.at(-1);
  if (!now) return null;
  const graphs = [
    [t.stats.in, rate(now.in), moments.map((moment) => moment.in)],
    [t.stats.out, rate(now.out), moments.map((moment) => moment.out)],
    [t.stats.loss, percent(now.loss), moments.map((moment) => moment.loss)],
    [t.stats.roundTrip, milliseconds(now.roundTrip), moments.map((moment) => moment.roundTrip)],
  ] as const;
  return (
    <section aria-label={t.stats.overTime}>
      <p className={styles.caption}>{t.stats.overTime}</p>
      <dl className={styles.graphs}>
        {graphs.map(([label, value, values]) => (
          <div key={label} className={styles.graph}>
            <dt>{label}</dt>
            <dd>{value}</dd>
            <Sparkline values={values} />
          </div>
        ))}
      </dl>
    </section>
  );
}

function LineTable({ line, nameOf }: { line: Line; nameOf: (id: string) => string }) {
  const { t } = useSpeech();
  const isServer = line.to === "sfu";
  return (
    <section className={styles.line} data-testid="stats-line" data-to={line.to}>
      <h3 className={styles.to}>{isServer ? t.stats.server : t.stats.to(nameOf(line.to))}</h3>
      <p className={styles.path}>
        {t.stats.path}: {line.path ?? "–"} · {t.stats.roundTrip}: {milliseconds(line.roundTrip)}
      </p>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t.stats.track}</th>
              <th scope="col">{t.stats.rate}</th>
              <th scope="col">{t.stats.lost}</th>
              <th scope="col">{t.stats.picture}</th>
              <th scope="col">{t.stats.codec}</th>
            </tr>
          </thead>
          <tbody>
            {line.flows.map((flow) => (
              <tr key={`${flow.direction} ${flow.participant} ${flow.source}`}>
                <th scope="row">{flowName(flow, isServer ? nameOf(flow.participant) : null, t)}</th>
                <td>{rate(flow.bitrate)}</td>
                <td>{flow.loss === null ? "–" : percent(flow.loss)}</td>
                <td>{pictureOf(flow)}</td>
                <td>{flow.codec ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function flowName({ direction, source }: Flow, name: string | null, t: Messages): string {
  const what = t.stats.source[source];
  if (direction === "out") return `↑ ${what}`;
  return name ? `↓ ${name} · ${what}` : `↓ ${what}`;
}
