import { useSpeech } from "../i18n/context.tsx";
import { AlikeMark } from "../parts/alike-mark.tsx";
import { Avatar } from "../parts/avatar-badge.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import { usePlaying } from "./sound-gate.tsx";
import styles from "./tile.module.css";
import { connectionText, type TileView, tileLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

interface Props {
  tile: TileView;
  /** It lies over another: only what matters. */
  isSmall: boolean;
  /** It is the large one. */
  isLarge: boolean;
  /** Shows it large, or no longer; absent where there is nothing to choose. */
  onPin?: (() => void) | undefined;
}

/** A participant: picture or avatar, name, and how the link does. */
export function Tile({ tile, isSmall, isLarge, onPin }: Props) {
  const { t } = useSpeech();
  const state = connectionText(tile, t);
  const look = [
    styles.tile,
    tile.isSpeaking ? styles.speaking : "",
    isSmall ? styles.small : "",
    tile.connection === "failed" ? styles.failed : "",
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a person.
    <div
      className={look.join(" ")}
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
      {tile.isSelf ? <OwnVideo tile={tile} /> : <TheirVideo tile={tile} />}
      {tile.showsPicture ? null : (
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
            <span className={styles.why}>{t.call.failedHint}</span>
          ) : null}
        </div>
      ) : null}
      {onPin ? <PinButton name={distinctName(tile)} isLarge={isLarge} onPin={onPin} /> : null}
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
        <AlikeMark alike={tile.alike} />
      </span>
    </div>
  );
}

/** Sources that the system of that participant mutes, as an attribute. */
function pausedOf({ isMicPaused, isCameraPaused }: TileView): string | undefined {
  const paused = [...(isMicPaused ? ["mic"] : []), ...(isCameraPaused ? ["camera"] : [])];
  return paused.length > 0 ? paused.join(" ") : undefined;
}

/** Shows a tile large, or gives it back its place. */
export function PinButton({
  name,
  isLarge,
  onPin,
}: {
  name: string;
  isLarge: boolean;
  onPin: () => void;
}) {
  const { t } = useSpeech();
  const label = isLarge ? t.call.shrink : t.call.enlarge(name);
  return (
    <button
      type="button"
      className={styles.pin}
      aria-label={label}
      title={label}
      data-testid="pin"
      onClick={onPin}
    >
      <Icon name={isLarge ? "shrink" : "enlarge"} size={18} />
    </button>
  );
}

/** Only where it is not good: what is well needs no sign. */
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

function OwnVideo({ tile }: { tile: TileView }) {
  const video = useStream(tile.stream);
  usePlaying(video, tile.stream);
  return (
    <video
      ref={video}
      className={`${styles.video} ${styles.mirrored} ${tile.showsPicture ? styles.shown : ""}`}
      muted
      autoPlay
      playsInline
    />
  );
}

/** Plays the voice too, so it stays where no picture is shown. */
function TheirVideo({ tile }: { tile: TileView }) {
  const ref = useStream(tile.stream);
  usePlaying(ref, tile.stream);
  useSink(ref);
  return (
    // biome-ignore lint/a11y/useMediaCaption: people talking live have no captions.
    <video
      ref={ref}
      className={`${styles.video} ${tile.showsPicture ? styles.shown : ""}`}
      playsInline
    />
  );
}
