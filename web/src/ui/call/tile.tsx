import { useEffect } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import { Avatar } from "../parts/avatar-badge.tsx";
import { Icon } from "../parts/icon.tsx";
import { useStream } from "../parts/use-stream.ts";
import { useSoundGate } from "./sound-gate.tsx";
import styles from "./tile.module.css";
import { connectionText, type TileView, tileLabel } from "./tile-view.ts";

interface Props {
  tile: TileView;
  /** It lies over another: only what matters. */
  isSmall: boolean;
}

/** A participant: picture or avatar, name, and how the link does. */
export function Tile({ tile, isSmall }: Props) {
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
    >
      {tile.isSelf ? <OwnVideo tile={tile} /> : <TheirVideo tile={tile} />}
      {tile.showsPicture ? null : (
        <span className={styles.avatar}>
          <Avatar name={tile.name} />
        </span>
      )}
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
      <span className={styles.badge} aria-hidden="true">
        {tile.isMuted ? (
          <span className={styles.muted}>
            <Icon name="micOff" size={16} />
          </span>
        ) : null}
        <bdi>{tile.isSelf ? (isSmall ? t.call.you : t.call.youNamed(tile.name)) : tile.name}</bdi>
      </span>
    </div>
  );
}

function OwnVideo({ tile }: { tile: TileView }) {
  const video = useStream(tile.stream);
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
  const { media } = useClient();
  const { speaker } = useReadable(media);
  const { play } = useSoundGate();
  const ref = useStream(tile.stream);
  useEffect(() => {
    if (tile.stream && ref.current) play(ref.current);
  }, [tile.stream, play, ref]);
  useEffect(() => {
    // A loudspeaker that was unplugged is no longer known: the system's own plays on.
    if (speaker !== null) void ref.current?.setSinkId?.(speaker).catch(() => {});
  }, [speaker, ref]);
  return (
    // biome-ignore lint/a11y/useMediaCaption: people talking live have no captions.
    <video
      ref={ref}
      className={`${styles.video} ${tile.showsPicture ? styles.shown : ""}`}
      playsInline
    />
  );
}
