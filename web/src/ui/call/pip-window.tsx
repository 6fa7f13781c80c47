import { type Call, type CallState, mayPublish } from "moim-client";
import { createPortal } from "react-dom";
import { useI18n } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar.tsx";
import { Icon } from "../parts/icon.tsx";
import { DeviceToggle } from "../parts/media-toggles.tsx";
import { useStream } from "../parts/use-stream.ts";
import styles from "./pip-window.module.css";
import { type AnyTileView, featuredOf, screenLabel, tilesOf } from "./tile-view.ts";

interface Props {
  call: Pick<Call, "leave">;
  state: CallState;
  /** The small window above all others. */
  target: Window;
}

/** The call in a small window: a shared screen or whoever speaks, and the most needed controls. */
export function PipWindow({ call, state, target }: Props) {
  const { t } = useI18n();
  const tile = pipTile(state);
  return createPortal(
    <main className={styles.window} data-testid="pip">
      {tile ? (
        <Picture key={tile.key} tile={tile} />
      ) : (
        <p className={styles.alone}>{t.call.people(1)}</p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms. */}
      <div className={styles.controls} role="group" aria-label={t.controls.group}>
        {mayPublish(state, "microphone") ? (
          <>
            <DeviceToggle kind="microphone" />
            <DeviceToggle kind="camera" />
          </>
        ) : null}
        <button
          type="button"
          className={styles.leave}
          aria-label={t.controls.leave}
          data-testid="pip-leave"
          onClick={() => call.leave()}
        >
          <Icon name="leave" />
        </button>
      </div>
    </main>,
    target.document.body,
  );
}

/** Content of the small window; null while nobody else is there. */
export function pipTile(state: CallState): AnyTileView | null {
  const tiles = tilesOf(state, { camera: null, screen: null });
  const { speaker, spotlight } = state;
  const key = featuredOf(tiles, { pinned: null, isSpeakerView: true, speaker, spotlight });
  return tiles.find((tile) => tile.key === key) ?? null;
}

function Picture({ tile }: { tile: AnyTileView }) {
  const { t } = useI18n();
  const video = useStream(tile.stream);
  const isScreen = tile.kind === "screen";
  const name = isScreen ? screenLabel(tile, t) : tile.name;
  const showsVideo = isScreen || tile.showsVideo;
  return (
    <div className={styles.picture} data-name={tile.name}>
      {/* The tile in the page plays the sound. */}
      <video
        ref={video}
        className={`${styles.video} ${isScreen ? styles.whole : ""}`}
        hidden={!showsVideo}
        autoPlay
        muted
        playsInline
      />
      {showsVideo ? null : (
        <span className={styles.disc}>
          <Avatar name={tile.name} />
        </span>
      )}
      <span className={styles.name}>
        {!isScreen && tile.isMuted ? <Icon name="micOff" size={16} /> : null}
        <bdi>{name}</bdi>
      </span>
    </div>
  );
}
