import type { RefObject } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import styles from "./menu.module.css";
import { FullScreenAction, Menu, MenuCheckbox } from "./menu.tsx";
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
  return (
    <Menu
      label={label}
      isOpen={isOpen}
      onOpen={onOpen}
      button={(trigger) => (
        <TileButton
          {...trigger}
          icon="more"
          label={label}
          isTabStop={isTabStop}
          data-testid="tile-menu"
        />
      )}
    >
      <Content tileKey={tileKey} tile={tile} {...content} onDone={() => onOpen(false)} />
    </Menu>
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
  return (
    <>
      {isHeard ? (
        <>
          <MenuCheckbox
            label={t.tile.muteForMe}
            isChosen={isMuted}
            testId="mute-for-me"
            onChange={(isMuted) => change({ isMuted })}
          />
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
        <MenuCheckbox
          label={t.tile.whole}
          isChosen={fit === "contain"}
          testId="tile-fit"
          onChange={(isWhole) => change({ fit: isWhole ? "contain" : "cover" })}
        />
      ) : null}
      <FullScreenAction element={tile} testId="tile-full-screen" onDone={onDone} />
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
