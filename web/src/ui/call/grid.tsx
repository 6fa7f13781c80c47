import { type CSSProperties, type UIEvent, useEffect, useState } from "react";
import type { Call, CallState, Viewport } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import styles from "./grid.module.css";
import { Invitation } from "./invitation.tsx";
import { arrange, arrangeAround, isVisible, type Rect } from "./layout.ts";
import { ScreenTile } from "./screen-tile.tsx";
import { Tile } from "./tile.tsx";
import { type AnyTileView, featuredOf, sourceOf, tilesOf } from "./tile-view.ts";
import { useIsPageVisible } from "./use-is-page-visible.ts";
import { useSize } from "./use-size.ts";

interface Props {
  call: Call;
  state: CallState;
  /** Shows the active speaker large. */
  isSpeakerView: boolean;
}

/**
 * The tiles of a call: a grid of equal tiles, or one large tile with the others in a strip. While
 * the user is alone, an invitation takes the place of the other participants.
 */
export function Grid({ call, state, isSpeakerView }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const { cameraStream, screen } = useReadable(media);
  const { ref, size } = useSize<HTMLUListElement>();
  const [pinned, setPinned] = useState<string | null>(null);
  const [scrolled, setScrolled] = useState(0);

  const tiles = tilesOf(state, { camera: cameraStream, screen: screen.stream });
  const { speaker, spotlight } = state;
  const featured = featuredOf(tiles, { pinned, isSpeakerView, speaker, spotlight });
  const isAlone = state.others.length === 0 && tiles.length === 1;
  const { rects, height, floating } = layoutTiles(tiles, featured, isAlone, size);
  const invitation = rects.get(INVITATION_KEY);
  useViewports(call, tiles, rects, scrolled, size);

  return (
    <ul
      ref={ref}
      className={styles.grid}
      aria-label={t.call.participants}
      data-featured={featured ?? undefined}
      onScroll={(event: UIEvent) => setScrolled(event.currentTarget.scrollTop)}
    >
      {invitation ? (
        <li key={INVITATION_KEY} className={styles.cell} style={positionStyle(invitation)}>
          <Invitation room={state.room.name} />
        </li>
      ) : null}
      {tiles.map((tile, i) => {
        const isFloating = floating && i === tiles.length - 1;
        const isLarge = tile.key === featured;
        const isPinned = tile.key === pinned;
        // With two tiles there is nothing to pin.
        const onPin = tiles.length > 2 ? () => setPinned(isPinned ? null : tile.key) : undefined;
        return (
          <li
            key={tile.key}
            className={`${styles.cell} ${isFloating ? styles.floating : ""}`}
            style={positionStyle(rects.get(tile.key))}
          >
            {tile.kind === "screen" ? (
              <ScreenTile screen={tile} isLarge={isLarge} isPinned={isPinned} onPin={onPin} />
            ) : (
              <Tile
                tile={tile}
                isSmall={isFloating}
                isLarge={isLarge}
                isPinned={isPinned}
                onPin={onPin}
              />
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

/** Key of the invitation among the keys of tiles, which are participant ids. */
const INVITATION_KEY = "invitation";

function layoutTiles(
  tiles: readonly AnyTileView[],
  featured: string | null,
  isAlone: boolean,
  size: { width: number; height: number },
): { rects: Map<string, Rect>; height: number; floating: boolean } {
  const keys = tiles.map(({ key }) => key);
  const inOrder = isAlone
    ? [INVITATION_KEY, ...keys]
    : featured === null
      ? keys
      : [featured, ...keys.filter((key) => key !== featured)];
  const mayFloat = !isAlone && tiles.every(({ kind }) => kind === "person");
  // With two people on a phone, the other participant fills the stage in any layout.
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

/** Reports which remote videos are visible, and their sizes in device pixels. */
function useViewports(
  call: Call,
  tiles: readonly AnyTileView[],
  rects: ReadonlyMap<string, Rect>,
  scrolled: number,
  size: { width: number; height: number },
): void {
  const isPageVisible = useIsPageVisible();
  const viewports = tiles.flatMap((tile): Viewport[] => {
    const source = sourceOf(tile);
    const rect = rects.get(tile.key);
    if (!source || !rect) return [];
    const isTileVisible = isPageVisible && isVisible(rect, scrolled, size);
    const scale = isTileVisible ? devicePixelRatio : 0;
    return [
      {
        participant: tile.id,
        source,
        width: Math.round(rect.width * scale),
        height: Math.round(rect.height * scale),
      },
    ];
  });
  // After every render: the call ignores viewports that equal those before.
  useEffect(() => call.setViewports(viewports));
}

/** Positioned by transform, which the compositor animates without a new page layout. */
function positionStyle(rect: Rect | undefined): CSSProperties {
  if (!rect) return { visibility: "hidden" };
  const { x, y, width, height } = rect;
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}
