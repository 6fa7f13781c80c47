import type { Call, CallState, Flow, Line, Moment } from "../../client/index.ts";
import { useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Sparkline } from "./sparkline.tsx";
import styles from "./stats.module.css";
import {
  formatBitrate,
  formatFrameRate,
  formatMilliseconds,
  formatPercent,
  sortFlows,
} from "./stats-format.ts";

interface Props {
  call: Call;
  state: CallState;
  onClose: () => void;
}

/** Dialog with the statistics of all peer connections, current and over the last two minutes. */
export function Stats({ call, state, onClose }: Props) {
  const { t } = useI18n();
  const { lines, moments } = useReadable(call.statistics);
  const { others } = state;
  return (
    <Dialog title={t.stats.title} onClose={onClose} isWide>
      {lines.length === 0 ? (
        <p>{t.stats.measuring}</p>
      ) : (
        <div className={styles.stats} data-testid="stats">
          <OverTime moments={moments} />
          {lines.map((line) => (
            <LinkTable key={line.to} line={line} others={others} />
          ))}
        </div>
      )}
    </Dialog>
  );
}

function OverTime({ moments }: { moments: readonly Moment[] }) {
  const { t } = useI18n();
  const now = moments.at(-1);
  if (!now) return null;
  const graphs = [
    [t.stats.in, formatBitrate(now.in), moments.map((moment) => moment.in)],
    [t.stats.out, formatBitrate(now.out), moments.map((moment) => moment.out)],
    [t.stats.packetLoss, formatPercent(now.loss), moments.map((moment) => moment.loss)],
    [
      t.stats.roundTrip,
      formatMilliseconds(now.roundTrip),
      moments.map((moment) => moment.roundTrip),
    ],
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

function LinkTable({ line, others }: { line: Line; others: CallState["others"] }) {
  const { t } = useI18n();
  const isServer = line.to === "sfu";
  const nameOf = (id: string) => {
    const other = others.find((other) => other.id === id);
    return other ? distinctName(other) : "";
  };
  const flows = sortFlows(
    line.flows,
    others.map(({ id }) => id),
  );
  return (
    <section className={styles.line} data-testid="stats-line" data-to={line.to}>
      <h3 className={styles.to}>{isServer ? t.stats.server : t.stats.to(nameOf(line.to))}</h3>
      <p className={styles.path}>
        <span>
          {t.stats.path}: {line.path ?? "–"}
        </span>
        <span>
          {t.stats.roundTrip}: {formatMilliseconds(line.roundTrip)}
        </span>
      </p>
      <div className={styles.scroll}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{t.stats.track}</th>
              <th scope="col">{t.stats.bitrate}</th>
              <th scope="col">{t.stats.loss}</th>
              <th scope="col">{t.stats.video}</th>
              <th scope="col">{t.stats.codec}</th>
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <tr key={`${flow.direction} ${flow.participant} ${flow.source}`}>
                <th scope="row">
                  <FlowName flow={flow} name={isServer ? nameOf(flow.participant) : null} />
                </th>
                <td className={styles.whole}>{formatBitrate(flow.bitrate)}</td>
                <td className={styles.whole}>
                  {flow.loss === null ? "–" : formatPercent(flow.loss)}
                </td>
                <td data-testid="stats-picture">
                  <VideoLayers flow={flow} />
                </td>
                <td className={styles.whole}>{flow.codec ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** One row per simulcast layer; a dash for audio. */
function VideoLayers({ flow }: { flow: Flow }) {
  if (flow.layers.length === 0) return "–";
  return flow.layers.map((layer) => (
    <span key={layer.height} className={styles.layer}>
      <span className={styles.whole}>
        {layer.width}×{layer.height}
      </span>{" "}
      · <span className={styles.whole}>{formatFrameRate(layer)}</span>
    </span>
  ));
}

function FlowName({ flow, name }: { flow: Flow; name: string | null }) {
  const { t } = useI18n();
  return (
    <>
      {flow.direction === "out" ? "↑\u00a0" : "↓\u00a0"}
      {name ? (
        <>
          <bdi className={styles.name}>{name}</bdi> ·{" "}
        </>
      ) : null}
      {t.stats.source[flow.source]}
    </>
  );
}
