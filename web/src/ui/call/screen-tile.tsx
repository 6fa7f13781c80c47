import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { useAutoplay } from "../parts/playback-provider.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import styles from "./tile.module.css";
import { PinButton } from "./tile.tsx";
import { type ScreenView, screenLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

interface Props {
  screen: ScreenView;
  isLarge: boolean;
  isPinned: boolean;
  onPin?: (() => void) | undefined;
}

/** A shared screen, never cropped. */
export function ScreenTile({ screen, isLarge, isPinned, onPin }: Props) {
  const { t } = useI18n();
  const label = screenLabel(screen, t);
  const ref = useStream(screen.stream);
  useAutoplay(ref, screen.stream);
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
      <video
        ref={ref}
        className={`${styles.video} ${styles.shown} ${styles.contained}`}
        muted={screen.isSelf}
        playsInline
      />
      {screen.isUnplayable ? <Unplayable text={label} /> : null}
      {onPin ? (
        <PinButton label={t.call.pinScreen(label)} isPinned={isPinned} onPin={onPin} />
      ) : null}
      <span className={styles.badge} aria-hidden="true">
        <Icon name="screen" size={16} />
        <bdi>{screen.isSelf ? t.call.sharing : label}</bdi>
      </span>
    </div>
  );
}
