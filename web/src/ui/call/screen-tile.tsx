import { useI18n } from "../i18n/context.tsx";
import { clip } from "../parts/clip.ts";
import { Icon } from "../parts/icon.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import { PinButton } from "./pin-button.tsx";
import styles from "./tile.module.css";
import type { TileActions } from "./tile.tsx";
import { type ScreenView, screenLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

interface Props extends TileActions {
  screen: ScreenView;
  isLarge: boolean;
}

/** A shared screen, never cropped. */
export function ScreenTile({ screen, isLarge, isPinned, isTabStop, onPin }: Props) {
  const { t } = useI18n();
  const label = screenLabel(screen, t);
  const ref = useStream(screen.stream);
  useAutoplay(ref, screen.stream, screen.isSilenced);
  useSink(ref);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a video.
    <div
      className={styles.tile}
      role="group"
      aria-label={label}
      data-testid="screen-tile"
      data-participant={screen.id}
      data-name={screen.name}
      data-self={screen.isSelf}
      data-large={isLarge}
    >
      <video ref={ref} className={styles.screen} muted={screen.isSilenced} playsInline />
      {screen.isUnplayable ? <Unplayable text={label} /> : null}
      {onPin ? (
        <span className={styles.actions}>
          <PinButton
            label={t.call.pinScreen(label)}
            isPinned={isPinned}
            isTabStop={isTabStop}
            onPin={onPin}
          />
        </span>
      ) : null}
      <span className={styles.badge} aria-hidden="true">
        {isPinned ? <Icon name="pin" size={16} /> : null}
        <Icon name="screen" size={16} />
        <bdi>{screen.isSelf ? t.call.sharing : clip(label, 60)}</bdi>
      </span>
    </div>
  );
}
