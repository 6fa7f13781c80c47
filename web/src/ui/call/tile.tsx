import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import styles from "./tile.module.css";
import { connectionText, type TileView, tileLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

interface Props {
  tile: TileView;
  /** The tile floats over another one and shows only the essentials. */
  isSmall: boolean;
  /** The tile is the large one. */
  isLarge: boolean;
  isPinned: boolean;
  /** Pins or unpins the tile; absent if there is nothing to pin. */
  onPin?: (() => void) | undefined;
}

/** A participant: video or avatar, name and connection state. */
export function Tile({ tile, isSmall, isLarge, isPinned, onPin }: Props) {
  const { t } = useI18n();
  const state = connectionText(tile, t);
  const classes = [
    styles.tile,
    tile.isSpeaking ? styles.speaking : "",
    isSmall ? styles.small : "",
    tile.connection === "failed" ? styles.failed : "",
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a person.
    <div
      className={classes.join(" ")}
      role="group"
      aria-label={tileLabel(tile, t)}
      data-testid="tile"
      data-participant={tile.id}
      data-name={tile.name}
      data-self={tile.isSelf}
      data-connection={tile.connection}
      data-speaking={tile.isSpeaking}
      data-quality={tile.quality ?? undefined}
      data-large={isLarge}
      data-paused={pausedOf(tile)}
    >
      {tile.isSelf ? <LocalVideo tile={tile} /> : <RemoteVideo tile={tile} />}
      {tile.showsVideo ? null : (
        <span className={styles.avatar}>
          <Avatar name={tile.name} />
        </span>
      )}
      {tile.isUnplayable && !state ? <Unplayable text={t.call.unplayable} /> : null}
      {state ? (
        <div className={styles.link}>
          <span className={styles.state}>
            <span className={styles.dot} />
            {state}
          </span>
          {tile.connection === "failed" ? (
            <span className={styles.hint}>{t.call.failedHint}</span>
          ) : null}
        </div>
      ) : null}
      {onPin ? (
        <PinButton label={t.call.pin(distinctName(tile))} isPinned={isPinned} onPin={onPin} />
      ) : null}
      <span className={styles.badge} aria-hidden="true">
        {tile.quality === "fair" || tile.quality === "poor" ? (
          <QualityBars quality={tile.quality} title={t.call.quality[tile.quality]} />
        ) : null}
        {tile.isMuted || tile.isMicPaused ? (
          <span className={styles.muted}>
            <Icon name="micOff" size={16} />
          </span>
        ) : null}
        {tile.isCameraPaused ? (
          <span className={styles.muted}>
            <Icon name="cameraOff" size={16} />
          </span>
        ) : null}
        <bdi>{tile.isSelf ? (isSmall ? t.call.you : t.call.youNamed(tile.name)) : tile.name}</bdi>
        <SameNameMark alike={tile.alike} />
      </span>
    </div>
  );
}

/** Sources that are muted by the participant's system, as an attribute value. */
function pausedOf({ isMicPaused, isCameraPaused }: TileView): string | undefined {
  const paused = [...(isMicPaused ? ["mic"] : []), ...(isCameraPaused ? ["camera"] : [])];
  return paused.length > 0 ? paused.join(" ") : undefined;
}

/** Pins or unpins a tile. `label` names the action while the tile is not pinned. */
export function PinButton({
  label,
  isPinned,
  onPin,
}: {
  label: string;
  isPinned: boolean;
  onPin: () => void;
}) {
  const { t } = useI18n();
  const action = isPinned ? t.call.unpin : label;
  return (
    <button
      type="button"
      className={styles.pin}
      aria-label={action}
      title={action}
      data-testid="pin"
      onClick={onPin}
    >
      <Icon name={isPinned ? "shrink" : "enlarge"} size={18} />
    </button>
  );
}

/** Bars for a fair or poor connection; a good one shows none. */
function QualityBars({ quality, title }: { quality: "fair" | "poor"; title: string }) {
  return (
    <svg className={styles.bars} viewBox="0 0 14 14" width={14} height={14} aria-hidden="true">
      <title>{title}</title>
      <rect x="0" y="9" width="3.4" height="5" rx="1" className={styles[quality]} />
      <rect
        x="5.3"
        y="5"
        width="3.4"
        height="9"
        rx="1"
        className={quality === "fair" ? styles.fair : styles.none}
      />
      <rect x="10.6" y="0" width="3.4" height="14" rx="1" className={styles.none} />
    </svg>
  );
}

function LocalVideo({ tile }: { tile: TileView }) {
  const video = useStream(tile.stream);
  useAutoplay(video, tile.stream);
  return (
    <video
      ref={video}
      className={`${styles.video} ${styles.mirrored} ${tile.showsVideo ? styles.shown : ""}`}
      muted
      autoPlay
      playsInline
    />
  );
}

/** Also plays the audio, so the element stays mounted while no video is shown. */
function RemoteVideo({ tile }: { tile: TileView }) {
  const ref = useStream(tile.stream);
  useAutoplay(ref, tile.stream);
  useSink(ref);
  return (
    <video
      ref={ref}
      className={`${styles.video} ${tile.showsVideo ? styles.shown : ""}`}
      muted={tile.isSilenced}
      playsInline
    />
  );
}
