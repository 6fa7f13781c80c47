import type { CSSProperties } from "react";
import type { CallState } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import styles from "./grid.module.css";
import { Invitation } from "./invitation.tsx";
import { arrange, type Rect } from "./layout.ts";
import { Tile } from "./tile.tsx";
import { tilesOf } from "./tile-view.ts";
import { useSize } from "./use-size.ts";

/** Everybody, as large as fits. Alone, the place beside one is kept for whoever is invited. */
export function Grid({ call }: { call: CallState }) {
  const { t } = useSpeech();
  const { media } = useClient();
  const { picture } = useReadable(media);
  const { ref, size } = useSize<HTMLUListElement>();
  const tiles = tilesOf(call, picture);
  const isAlone = tiles.length === 1;
  const {
    tiles: rects,
    height,
    floating,
  } = arrange(tiles.length + (isAlone ? 1 : 0), size, {
    mayFloat: !isAlone,
  });
  const seat = isAlone ? rects[0] : undefined;
  const places = isAlone ? rects.slice(1) : rects;
  return (
    <ul ref={ref} className={styles.grid} aria-label={t.call.participants}>
      {seat ? (
        <li key="invitation" className={styles.cell} style={placed(seat)}>
          <Invitation room={call.room.name} />
        </li>
      ) : null}
      {tiles.map((tile, i) => {
        const isFloating = floating && i === tiles.length - 1;
        return (
          <li
            key={tile.id}
            className={`${styles.cell} ${isFloating ? styles.floating : ""}`}
            style={placed(places[i])}
          >
            <Tile tile={tile} isSmall={isFloating} />
          </li>
        );
      })}
      {height > size.height ? (
        <li className={styles.end} aria-hidden="true" style={{ top: height - 1 }} />
      ) : null}
    </ul>
  );
}

/** Moved by transform, which the compositor does without laying the page out again. */
function placed(rect: Rect | undefined): CSSProperties {
  if (!rect) return { visibility: "hidden" };
  const { x, y, width, height } = rect;
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}
