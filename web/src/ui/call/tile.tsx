import { memo, type RefObject, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { CameraVideo } from "../parts/camera-video.tsx";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon } from "../parts/icon.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { SameNameMark } from "../parts/same-name-mark.tsx";
import { useFrames } from "../parts/use-frames.ts";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import { useVolume } from "../parts/use-volume.ts";
import { PinButton, TileButton } from "./pin-button.tsx";
import { ReactionBubble } from "./reaction-bubble.tsx";
import { isSameTile } from "./same-tile.ts";
import styles from "./tile.module.css";
import { TileMenu } from "./tile-menu.tsx";
import { useTileSettings } from "./tile-settings.ts";
import { connectionText, type TileView, tileLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

/** Actions on a tile. */
export interface TileActions {
  isPinned: boolean;
  /** Pins or unpins the tile; absent if there is nothing to pin. */
  onPin?: (() => void) | undefined;
  /** Hides the tile; absent unless it is one's own. */
  onHide?: (() => void) | undefined;
  /** Tabbing reaches the tile's actions: of all tiles one at a time. */
  isTabStop: boolean;
  /** The tile's menu. */
  isMenuOpen: boolean;
  onMenu: (isOpen: boolean) => void;
}

interface Props extends TileActions {
  tile: TileView;
  /** The tile floats over another one and shows only the essentials. */
  isSmall: boolean;
  /** The tile is the large one. */
  isLarge: boolean;
}

/** A participant: video or avatar, name and connection state. */
export const Tile = memo(function Tile({ tile, isSmall, isLarge, ...actions }: Props) {
  const { t } = useI18n();
  const place = useRef<HTMLDivElement>(null);
  const video = useStream(tile.stream);
  const frames = useFrames(video, tile.stream, tile.showsVideo);
  const [{ volume, isMuted: isMutedHere, fit }] = useTileSettings(tile.key);
  const isSilent = tile.isSilenced || isMutedHere;
  useAutoplay(video, tile.stream, isSilent);
  useSink(video);
  useVolume(video, volume);
  const state = connectionText(tile, t);
  const isLoading = tile.showsVideo && frames !== "playing" && !state;
  const classes = [
    styles.tile,
    tile.isSpeaking ? styles.speaking : "",
    isSmall ? styles.small : "",
    tile.connection === "failed" ? styles.failed : "",
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a person.
    <div
      ref={place}
      className={classes.join(" ")}
      role="group"
      aria-label={isMutedHere ? `${tileLabel(tile, t)}, ${t.tile.mutedForYou}` : tileLabel(tile, t)}
      data-testid="tile"
      data-participant={tile.id}
      data-name={tile.name}
      data-self={tile.isSelf}
      data-connection={tile.connection}
      data-speaking={tile.isSpeaking}
      data-quality={tile.quality ?? undefined}
      data-large={isLarge}
      data-paused={pausedOf(tile)}
      data-frames={tile.showsVideo ? frames : undefined}
      data-fit={fit ?? undefined}
    >
      {/* It also plays the audio, so it stays mounted while no video is shown. */}
      <CameraVideo
        ref={video}
        frames={frames}
        own={tile.isSelf ? tile.stream : null}
        fit={fit}
        muted={tile.isSelf || isSilent}
        autoPlay={tile.isSelf}
        playsInline
      />
      {tile.showsVideo && frames !== "waiting" ? null : (
        <span className={styles.avatar}>
          <span className={styles.disc}>
            <Avatar name={tile.name} />
          </span>
        </span>
      )}
      {isLoading ? <span className={styles.spinner} aria-hidden="true" /> : null}
      {tile.isUnplayable && !state ? <Unplayable text={t.call.unplayable} /> : null}
      {state ? (
        <div className={styles.link}>
          <span className={styles.state}>
            <span className={styles.dot} />
            <span className={styles.words}>{state}</span>
          </span>
          {tile.connection === "failed" ? (
            <span className={styles.hint}>{t.call.failedHint}</span>
          ) : null}
        </div>
      ) : null}
      <ReactionBubble reaction={tile.reaction} />
      <Actions tile={tile} place={place} isSmall={isSmall} {...actions} />
      <Badge tile={tile} isSmall={isSmall} isPinned={actions.isPinned} isMutedHere={isMutedHere} />
    </div>
  );
}, isSameTile);

function Actions({
  tile,
  place,
  isSmall,
  isPinned,
  onPin,
  onHide,
  isTabStop,
  isMenuOpen,
  onMenu,
}: TileActions & { tile: TileView; place: RefObject<HTMLElement | null>; isSmall: boolean }) {
  const { t } = useI18n();
  return (
    <span className={styles.actions}>
      {onHide ? (
        <TileButton
          icon="hide"
          label={t.call.hideSelf}
          title={isSmall ? t.call.hideSelfHint : t.call.hideSelf}
          isTabStop={isTabStop}
          data-testid="hide-self"
          onClick={onHide}
        />
      ) : null}
      {onPin ? (
        <PinButton
          label={t.call.pin(distinctName(tile))}
          isPinned={isPinned}
          isTabStop={isTabStop}
          onPin={onPin}
        />
      ) : null}
      {tile.isSelf ? null : (
        <TileMenu
          tileKey={tile.key}
          label={t.tile.options(distinctName(tile))}
          tile={place}
          isHeard
          isCropped={tile.showsVideo}
          isTabStop={isTabStop}
          isOpen={isMenuOpen}
          onOpen={onMenu}
        />
      )}
    </span>
  );
}

function Badge({
  tile,
  isSmall,
  isPinned,
  isMutedHere,
}: {
  tile: TileView;
  isSmall: boolean;
  isPinned: boolean;
  isMutedHere: boolean;
}) {
  const { t } = useI18n();
  return (
    <span className={styles.badge} aria-hidden="true" data-testid="badge">
      {isPinned ? <Icon name="pin" size={16} /> : null}
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
      {isMutedHere ? (
        <span className={styles.muted} data-testid="muted-for-me">
          <Icon name="speakerOff" size={16} />
        </span>
      ) : null}
      <bdi title={tile.name}>
        {tile.isSelf ? (isSmall ? t.call.you : t.call.youNamed(tile.name)) : tile.name}
      </bdi>
      <SameNameMark alike={tile.alike} />
      {/* Last, so that the name stays where it is. */}
      {tile.hand === null ? null : (
        <span className={styles.hand} data-testid="tile-hand">
          <Icon name="hand" size={16} />
          {tile.hand}
        </span>
      )}
    </span>
  );
}

/** Sources that are muted by the participant's system, as an attribute value. */
function pausedOf({ isMicPaused, isCameraPaused }: TileView): string | undefined {
  const paused = [...(isMicPaused ? ["mic"] : []), ...(isCameraPaused ? ["camera"] : [])];
  return paused.length > 0 ? paused.join(" ") : undefined;
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
