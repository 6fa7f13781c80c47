import { type RefObject, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { canFillScreen, useFullScreen } from "../parts/full-screen.ts";
import { Icon } from "../parts/icon.tsx";
import { Popover } from "../parts/popover.tsx";
import styles from "./menu.module.css";
import { TileButton } from "./pin-button.tsx";
import { useTileSettings } from "./tile-settings.ts";

interface Props {
  tileKey: string;
  /** Name of the button and its menu. */
  label: string;
  /** The tile, to fill the screen. */
  tile: RefObject<HTMLElement | null>;
  /** The tile has audio. */
  isHeard: boolean;
  /** The picture may be cropped. */
  isCropped: boolean;
  isTabStop: boolean;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

/** Button with a menu of what can be done with one tile for oneself alone. */
export function TileMenu({ tileKey, label, tile, isTabStop, isOpen, onOpen, ...content }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <TileButton
        ref={button}
        icon="more"
        label={label}
        isTabStop={isTabStop}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-testid="tile-menu"
        onClick={() => onOpen(!isOpen)}
      />
      {isOpen ? (
        <Popover anchor={button} label={label} onClose={() => onOpen(false)}>
          <Content tileKey={tileKey} tile={tile} {...content} onDone={() => onOpen(false)} />
        </Popover>
      ) : null}
    </>
  );
}

function Content({
  tileKey,
  tile,
  isHeard,
  isCropped,
  onDone,
}: Pick<Props, "tileKey" | "tile" | "isHeard" | "isCropped"> & { onDone: () => void }) {
  const { t } = useI18n();
  const [{ volume, isMuted, fit }, change] = useTileSettings(tileKey);
  const [isFull, toggleFull] = useFullScreen(tile);
  return (
    <>
      {isHeard ? (
        <>
          <label className={styles.choice}>
            <input
              type="checkbox"
              checked={isMuted}
              data-testid="mute-for-me"
              onChange={({ target }) => change({ isMuted: target.checked })}
            />
            {t.tile.muteForMe}
          </label>
          {canSetVolume() ? (
            <label className={styles.volume}>
              <Icon name="speaker" size={20} />
              <span>{t.tile.volume}</span>
              <input
                type="range"
                min={0}
                max={100}
                step={5}
                value={Math.round(volume * 100)}
                disabled={isMuted}
                data-testid="tile-volume"
                onChange={({ target }) => change({ volume: target.valueAsNumber / 100 })}
              />
            </label>
          ) : null}
        </>
      ) : null}
      {isCropped ? (
        <label className={styles.choice}>
          <input
            type="checkbox"
            checked={fit === "contain"}
            data-testid="tile-fit"
            onChange={({ target }) => change({ fit: target.checked ? "contain" : "cover" })}
          />
          {t.tile.whole}
        </label>
      ) : null}
      {canFillScreen ? (
        <button
          type="button"
          className={styles.action}
          data-testid="tile-full-screen"
          onClick={() => {
            onDone();
            toggleFull();
          }}
        >
          <Icon name={isFull ? "shrink" : "enlarge"} size={20} />
          {isFull ? t.tile.endFullScreen : t.tile.fullScreen}
        </button>
      ) : null}
    </>
  );
}

let settable: boolean | null = null;

/** iOS leaves the volume to its buttons: there it always reads 1. */
function canSetVolume(): boolean {
  if (settable === null) {
    const audio = document.createElement("audio");
    audio.volume = 0.5;
    settable = audio.volume === 0.5;
  }
  return settable;
}
