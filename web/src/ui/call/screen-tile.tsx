import { memo, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { clip } from "../parts/clip.ts";
import { useFullScreen } from "../parts/full-screen.ts";
import { Icon } from "../parts/icon.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import { useVolume } from "../parts/use-volume.ts";
import { PinButton, TileButton } from "./pin-button.tsx";
import { isSameTile } from "./same-tile.ts";
import styles from "./tile.module.css";
import type { TileActions } from "./tile.tsx";
import { TileMenu } from "./tile-menu.tsx";
import { useTileSettings } from "./tile-settings.ts";
import { type ScreenView, screenLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";
import { useZoom } from "./use-zoom.ts";

interface Props extends TileActions {
  screen: ScreenView;
  isLarge: boolean;
}

/** A shared screen, never cropped. While it is large it can be enlarged further and moved. */
export const ScreenTile = memo(function ScreenTile({
  screen,
  isLarge,
  isPinned,
  isTabStop,
  onPin,
  ...menu
}: Props) {
  const { t } = useI18n();
  const label = screenLabel(screen, t);
  const place = useRef<HTMLDivElement>(null);
  const ref = useStream(screen.stream);
  const [{ volume, isMuted }] = useTileSettings(screen.key);
  const isSilent = screen.isSilenced || isMuted;
  useAutoplay(ref, screen.stream, isSilent);
  useSink(ref);
  useVolume(ref, volume);
  const [isFull] = useFullScreen(place);
  const canZoom = isLarge || isFull;
  const { scale, handlers, press } = useZoom(place, ref, canZoom);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a video.
    <div
      ref={place}
      className={`${styles.tile} ${canZoom ? styles.zoomable : ""} ${scale > 1 ? styles.zoomed : ""}`}
      role="group"
      aria-label={isMuted ? `${label}, ${t.tile.mutedForYou}` : label}
      data-testid="screen-tile"
      data-participant={screen.id}
      data-name={screen.name}
      data-self={screen.isSelf}
      data-large={isLarge}
      data-zoom={scale}
      {...handlers}
    >
      <video
        ref={ref}
        className={styles.screen}
        // Firefox leads Tab to videos, also to those without controls.
        tabIndex={-1}
        muted={isSilent}
        playsInline
      />
      {screen.isUnplayable ? <Unplayable text={label} /> : null}
      <span className={styles.actions}>
        {canZoom ? (
          <>
            <TileButton
              icon="hide"
              label={t.tile.zoomOut}
              isTabStop={isTabStop}
              data-testid="zoom-out"
              onClick={() => press("-")}
            />
            <TileButton
              icon="plus"
              label={t.tile.zoomIn}
              isTabStop={isTabStop}
              data-testid="zoom-in"
              onClick={() => press("+")}
            />
          </>
        ) : null}
        {onPin ? (
          <PinButton
            label={t.call.pinScreen(label)}
            isPinned={isPinned}
            isTabStop={isTabStop}
            onPin={onPin}
          />
        ) : null}
        <TileMenu
          tileKey={screen.key}
          label={t.tile.screenOptions(label)}
          tile={place}
          isHeard={!screen.isSelf && !screen.isSilenced}
          isCropped={false}
          isTabStop={isTabStop}
          isOpen={menu.isMenuOpen}
          onOpen={menu.onMenu}
        />
      </span>
      <span className={styles.badge} aria-hidden="true">
        {isPinned ? <Icon name="pin" size={16} /> : null}
        <Icon name="screen" size={16} />
        {isMuted ? <Icon name="speakerOff" size={16} /> : null}
        <bdi>{screen.isSelf ? t.call.sharing : clip(label, 60)}</bdi>
      </span>
    </div>
  );
}, isSameTile);
