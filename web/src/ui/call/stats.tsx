import type { Call, CallState, LinkStats, StatsSample, TrackStats } from "moim-client";
import { useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { clip } from "../parts/clip.ts";
import { distinctName } from "../parts/distinct-name.ts";
import { Panel } from "../parts/panel.tsx";
import { Sparkline } from "./sparkline.tsx";
import styles from "./stats.module.css";
import {
  formatBitrate,
  formatFrameRate,
  formatMilliseconds,
  formatPercent,
  sortTracks,
} from "./stats-format.ts";
import { WhyBad } from "./why-bad.tsx";

/** Characters of a name in a heading. */
const MAX_NAME = 24;

interface Props {
  call: Call;
  state: CallState;
  onClose: () => void;
  takesFocus: boolean;
}

/** Panel with the statistics of all peer connections, current and over the last two minutes. */
export function Stats({ call, state, onClose, takesFocus }: Props) {
  const { t } = useI18n();
  const { links, samples } = useReadable(call.statistics);
  const { others } = state;
  return (
    <Panel title={t.stats.title} testId="stats-panel" onClose={onClose} takesFocus={takesFocus}>
      <WhyBad call={call} hasLinks={links.length > 0} />
      {links.length === 0 ? (
        <p>{t.stats.measuring}</p>
      ) : (
        <div className={styles.stats} data-testid="stats">
          <OverTime samples={samples} />
          {links.map((link) => (
            <LinkTable key={link.to} link={link} others={others} />
          ))}
        </div>
      )}
    </Panel>
  );
}

function OverTime({ samples }: { samples: readonly StatsSample[] }) {
  const { t } = useI18n();
  const now = samples.at(-1);
  if (!now) return null;
  const graphs = [
    [t.stats.in, formatBitrate(now.in), samples.map((sample) => sample.in), 100_000],
    [t.stats.out, formatBitrate(now.out), samples.map((sample) => sample.out), 100_000],
    [t.stats.packetLoss, formatPercent(now.loss), samples.map((sample) => sample.loss), 0.01],
    [
      t.stats.roundTrip,
      formatMilliseconds(now.roundTrip),
      samples.map((sample) => sample.roundTrip),
      50,
    ],
  ] as const;
  return (
    <section aria-label={t.stats.overTime}>
      <p className={styles.caption}>{t.stats.overTime}</p>
      <dl className={styles.graphs}>
        {graphs.map(([label, value, values, least]) => (
          <div key={label} className={styles.graph}>
            <dt>{label}</dt>
            <dd>{value}</dd>
            <Sparkline values={values} least={least} />
          </div>
        ))}
      </dl>
    </section>
  );
}

function LinkTable({ link, others }: { link: LinkStats; others: CallState["others"] }) {
  const { t } = useI18n();
  const isServer = link.to === "sfu";
  const nameOf = (id: string) => {
    const other = others.find((other) => other.id === id);
    return other ? distinctName(other) : "";
  };
  const tracks = sortTracks(
    link.tracks,
    others.map(({ id }) => id),
  );
  return (
    <section className={styles.line} data-testid="stats-line" data-to={link.to}>
      <h3 className={styles.to}>
        {isServer ? t.stats.server : t.stats.to(clip(nameOf(link.to), MAX_NAME))}
      </h3>
      <p className={styles.path}>
        {link.path === null ? null : (
          <span>
            {t.stats.path}: {link.path}
          </span>
        )}
        <span>
          {t.stats.roundTrip}: {formatMilliseconds(link.roundTrip)}
        </span>
      </p>
      <div className={styles.scroll} hidden={tracks.length === 0}>
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
            {tracks.map((track) => (
              <tr key={`${track.direction} ${track.participant} ${track.source}`}>
                <th scope="row">
                  <TrackName track={track} name={isServer ? nameOf(track.participant) : null} />
                </th>
                <td className={styles.whole}>{formatBitrate(track.bitrate)}</td>
                <td className={styles.whole}>
                  {track.loss === null ? "–" : formatPercent(track.loss)}
                </td>
                <td data-testid="stats-picture">
                  <VideoLayers track={track} />
                </td>
                <td className={styles.whole}>{track.codec ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** One row per simulcast layer; a dash for audio. */
function VideoLayers({ track }: { track: TrackStats }) {
  if (track.layers.length === 0) return "–";
  return track.layers.map((layer) => (
    <span key={layer.height} className={styles.layer}>
      <span className={styles.whole}>
        {layer.width}×{layer.height}
      </span>{" "}
      · <span className={styles.whole}>{formatFrameRate(layer)}</span>
    </span>
  ));
}

function TrackName({ track, name }: { track: TrackStats; name: string | null }) {
  const { t } = useI18n();
  return (
    <>
      {track.direction === "out" ? "↑\u00a0" : "↓\u00a0"}
      {name ? (
        <>
          <bdi className={styles.name} title={name}>
            {name}
          </bdi>{" "}
          ·{" "}
        </>
      ) : null}
      {t.stats.source[track.source]}
    </>
  );
}
