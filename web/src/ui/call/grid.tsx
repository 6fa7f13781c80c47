import { type CSSProperties, type UIEvent, useEffect, useMemo, useState } from "react";
import type { Call, CallState, Sight } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useSpeech } from "../i18n/context.tsx";
import styles from "./grid.module.css";
import { Invitation } from "./invitation.tsx";
import { arrange, arrangeAround, isInSight, type Rect } from "./layout.ts";
import { ScreenTile } from "./screen-tile.tsx";
import { Tile } from "./tile.tsx";
import { type AnyView, featuredOf, sourceOf, tilesOf } from "./tile-view.ts";
import { useIsShown } from "./use-is-shown.ts";
import { useSize } from "./use-size.ts";

interface Props {
  call: Call;
  state: CallState;
  /** Who speaks is shown large. */
  isSpeakerView: boolean;
}

/**
 * Everybody as large as fits, or one large and the rest beside it. Alone, the place beside one is
 * kept for whoever is invited.
 */
export function Grid({ call, state, isSpeakerView }: Props) {
  const { t } = useSpeech();
  const { media } = useClient();
  const { picture, screen } = useReadable(media);
  const { ref, size } = useSize<HTMLUListElement>();
  const [pinned, setPinned] = useState<string | null>(null);
  const [scrolled, setScrolled] = useState(0);

  const tiles = tilesOf(state, { camera: picture, screen: screen.picture });
  const featured = featuredOf(tiles, { pinned, isSpeakerView, speaker: state.speaker });
  const isAlone = state.others.length === 0 && tiles.length === 1;
  const { rects, height, floating } = placesOf(tiles, featured, isAlone, size);
  const seat = rects.get(SEAT);
  useSights(call, tiles, rects, scrolled, size);

  return (
    <ul
      ref={ref}
      className={styles.grid}
      aria-label={t.call.participants}
      data-featured={featured ?? undefined}
      onScroll={(event: UIEvent) => setScrolled(event.currentTarget.scrollTop)}
    >
      {seat ? (
        <li key="invitation" className={styles.cell} style={placed(seat)}>
          <Invitation room={state.room.name} />
        </li>
      ) : null}
      {tiles.map((tile, i) => {
        const isFloating = floating && i === tiles.length - 1;
        const isLarge = tile.key === featured;
        // Of two there is nothing to choose.
        const onPin =
          tiles.length > 2 ? () => setPinned(isLarge && pinned ? null : tile.key) : undefined;
        return (
          <li
            key={tile.key}
            className={`${styles.cell} ${isFloating ? styles.floating : ""}`}
            style={placed(rects.get(tile.key))}
          >
            {tile.kind === "screen" ? (
              <ScreenTile screen={tile} isLarge={isLarge} onPin={onPin} />
            ) : (
              <Tile tile={tile} isSmall={isFloating} isLarge={isLarge} onPin={onPin} />
            )}
          </li>
        );
      })}
      {height > size.height ? (
        <li className={styles.end} aria-hidden="true" style={{ top: height - 1 }} />
      ) : null}
    </ul>
  );
}

/** The place of whoever is invited. */
const SEAT = "seat";

function placesOf(
  tiles: readonly AnyView[],
  featured: string | null,
  isAlone: boolean,
  size: { width: number; height: number },
): { rects: Map<string, Rect>; height: number; floating: boolean } {
  const keys = tiles.map(({ key }) => key);
  const inOrder = isAlone
    ? [SEAT, ...keys]
    : featured === null
      ? keys
      : [featured, ...keys.filter((key) => key !== featured)];
  const mayFloat = !isAlone && tiles.every(({ kind }) => kind === "person");
  // With two on a phone the other one is large anyway.
  const arranged =
    featured === null || (mayFloat && tiles.length === 2)
      ? arrange(inOrder.length, size, { mayFloat })
      : arrangeAround(inOrder.length - 1, size);
  const rects = new Map<string, Rect>();
  inOrder.forEach((key, i) => {
    const rect = arranged.tiles[i];
    if (rect) rects.set(key, rect);
  });
  return { rects, height: arranged.height, floating: arranged.floating };
}

/** Tells the call what of the others is in sight, and how large on this screen. */
function useSights(
  call: Call,
  tiles: readonly AnyView[],
  rects: ReadonlyMap<string, Rect>,
  scrolled: number,
  size: { width: number; height: number },
): void {
  const isShown = useIsShown();
  const sights = tiles.flatMap((tile): Sight[] => {
    const source = sourceOf(tile);
    const rect = rects.get(tile.key);
    if (!source || !rect) return [];
    const isSeen = isShown && isInSight(rect, scrolled, size);
    const [width, height] = isSeen ? [rect.width, rect.height] : [0, 0];
    return [
      {
        participant: tile.id,
        source,
        width: Math.round(width * devicePixelRatio),
        height: Math.round(height * devicePixelRatio),
      },
    ];
  });
  // As text, since every drawing makes new ones that mean the same.
  const told = JSON.stringify(sights);
  const same = useMemo<Sight[]>(() => JSON.parse(told), [told]);
  useEffect(() => call.show(same), [call, same]);
}

/** Moved by transform, which the compositor does without laying the page out again. */
function placed(rect: Rect | undefined): CSSProperties {
  if (!rect) return { visibility: "hidden" };
  const { x, y, width, height } = rect;
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}
