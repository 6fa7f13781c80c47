import { useSpeech } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { useSink } from "../parts/use-sink.ts";
import { useStream } from "../parts/use-stream.ts";
import { usePlaying } from "./sound-gate.tsx";
import styles from "./tile.module.css";
import { PinButton } from "./tile.tsx";
import { type ScreenView, screenLabel } from "./tile-view.ts";
import { Unplayable } from "./unplayable.tsx";

interface Props {
  screen: ScreenView;
  isLarge: boolean;
  onPin?: (() => void) | undefined;
}

/** A shared screen, whole: nothing of it is cropped. */
export function ScreenTile({ screen, isLarge, onPin }: Props) {
  const { t } = useSpeech();
  const label = screenLabel(screen, t);
  const ref = useStream(screen.stream);
  usePlaying(ref, screen.stream);
  useSink(ref);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms; this groups a picture.
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
      {onPin ? <PinButton name={label} isLarge={isLarge} onPin={onPin} /> : null}
      <span className={styles.badge} aria-hidden="true">
        <Icon name="screen" size={16} />
        <bdi>{screen.isSelf ? t.call.sharing : label}</bdi>
      </span>
    </div>
  );
}
