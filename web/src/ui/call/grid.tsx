import { type CSSProperties, type KeyboardEvent, type UIEvent, useRef, useState } from "react";
import type { Call, CallState, Reaction } from "../../client/index.ts";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { usePreference } from "../use-preference.ts";
import { useFloating } from "./floating.ts";
import styles from "./grid.module.css";
import { Invitation } from "./invitation.tsx";
import { arrange, arrangeAround, type Corner, GAP, type Rect, type Stage } from "./layout.ts";
import { ScreenTile } from "./screen-tile.tsx";
import tileStyles from "./tile.module.css";
import { Tile } from "./tile.tsx";
import { type AnyTileView, featuredOf, tilesOf } from "./tile-view.ts";
import { type Pin, pinnedKey } from "./use-pin.ts";
import { useSize } from "./use-size.ts";
import { useViewports } from "./use-viewports.ts";

interface Props {
  call: Call;
  state: CallState;
  /** Shows the active speaker large. */
  isSpeakerView: boolean;
  pin: Pin | null;
  onPin: (tile: AnyTileView | null) => void;
}

/**
 * The tiles of a call: a grid of equal tiles, or one large tile with the others in a strip. While
 * the user is alone, an invitation takes the place of the other participants.
 */
export function Grid({ call, state, isSpeakerView, pin, onPin }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const { cameraStream, screen } = useReadable(media);
  const { ref, size } = useSize<HTMLDivElement>();
  const [scrolled, setScrolled] = useState(0);
  const [tapped, setTapped] = useState<string | null>(null);
  const [isSelfHidden, setSelfHidden] = useSelfHidden(state);
  const reactions = useReactions(state.reaction);
  const floatingTile = useFloating(size);

  const all = tilesOf(state, { camera: cameraStream, screen: screen.stream }, reactions);
  const tiles = isSelfHidden ? all.filter(({ kind, isSelf }) => kind !== "person" || !isSelf) : all;
  const { speaker, spotlight } = state;
  const pinned = pinnedKey(pin, tiles);
  const featured = featuredOf(tiles, { pinned, isSpeakerView, speaker, spotlight });
  const isAlone = state.others.length === 0 && tiles.length === 1;
  const layout = layoutTiles(tiles, featured, isAlone, size, floatingTile.corner);
  const { rects, height, floating } = layout;
  const invitation = rects.get(INVITATION_KEY);
  const large = floating ? null : featured;
  useViewports(call, tiles, { rects, scrolled, size, large });
  const { tabStop, onFocus, onKeyDown } = useArrowKeys(tiles);

  return (
    <div
      ref={ref}
      className={styles.scroller}
      onScroll={(event: UIEvent) => setScrolled(event.currentTarget.scrollTop)}
    >
      <ul
        className={styles.grid}
        aria-label={t.call.participants}
        data-featured={featured ?? undefined}
        style={{ height: Math.max(height, size.height) }}
        onFocus={onFocus}
        onKeyDown={onKeyDown}
      >
        {invitation ? (
          <li key={INVITATION_KEY} className={styles.cell} style={positionStyle(invitation)}>
            <Invitation room={state.room.name} />
          </li>
        ) : null}
        {tiles.map((tile, i) => {
          const isFloating = floating && i === tiles.length - 1;
          const isPinned = tile.key === pinned;
          const actions = {
            isLarge: tile.key === featured,
            isPinned,
            // With two tiles there is nothing to pin.
            onPin: tiles.length > 2 ? () => onPin(isPinned ? null : tile) : undefined,
            isTabStop: tile.key === tabStop,
          };
          const rect = rects.get(tile.key);
          const classes = [
            styles.cell,
            tile.key === large ? styles.large : "",
            isFloating ? styles.floating : "",
            isFloating && floatingTile.isDragged ? styles.dragged : "",
            tile.key === tapped ? tileStyles.tapped : "",
          ];
          return (
            <li
              key={tile.key}
              data-key={tile.key}
              className={classes.join(" ")}
              style={{
                ...positionStyle(isFloating ? floatingTile.moved(rect) : rect),
                ...coveredStyle(floating && !isFloating, layout.floatingRect, floatingTile.corner),
              }}
              onPointerUp={({ pointerType }) => {
                if (pointerType !== "mouse") setTapped(tile.key === tapped ? null : tile.key);
              }}
              {...(isFloating && rect ? floatingTile.handlers(rect) : {})}
            >
              {tile.kind === "screen" ? (
                <ScreenTile screen={tile} {...actions} />
              ) : (
                <Tile
                  tile={tile}
                  isSmall={isFloating}
                  {...actions}
                  onHide={tile.isSelf && !isAlone ? () => setSelfHidden(true) : undefined}
                />
              )}
            </li>
          );
        })}
      </ul>
      {isSelfHidden ? (
        <div className={styles.show}>
          <button
            type="button"
            className={styles.restore}
            data-testid="show-self"
            onClick={() => setSelfHidden(false)}
          >
            <Icon name="camera" size={18} />
            {t.call.showSelf}
          </button>
        </div>
      ) : null}
    </div>
  );
}

/** Key of the invitation among the keys of tiles, which are participant ids. */
const INVITATION_KEY = "invitation";

function layoutTiles(
  tiles: readonly AnyTileView[],
  featured: string | null,
  isAlone: boolean,
  size: Stage,
  corner: Corner,
): {
  rects: Map<string, Rect>;
  height: number;
  floating: boolean;
  floatingRect: Rect | undefined;
} {
  const inOrder = isAlone
    ? [INVITATION_KEY, ...tiles.map(({ key }) => key)]
    : order(tiles, featured);
  const mayFloat = !isAlone && tiles.every(({ kind }) => kind === "person");
  // With two people, the other participant fills the stage in any layout.
  const arranged =
    featured === null || (mayFloat && tiles.length === 2)
      ? arrange(inOrder.length, size, { mayFloat, corner, fills: !isAlone })
      : arrangeAround(inOrder.length - 1, size);
  const rects = new Map<string, Rect>();
  const { floating } = arranged;
  const keys = floating ? tiles.map(({ key }) => key) : inOrder;
  keys.forEach((key, i) => {
    const rect = arranged.tiles[i];
    if (rect) rects.set(key, rect);
  });
  return { rects, height: arranged.height, floating, floatingRect: arranged.tiles[1] };
}

/** The large tile first; then one's own, which a strip that scrolls would hide at its end. */
function order(tiles: readonly AnyTileView[], featured: string | null): string[] {
  const keys = tiles.map(({ key }) => key);
  if (featured === null) return keys;
  const own = tiles.find(({ kind, isSelf }) => kind === "person" && isSelf)?.key;
  const first = own === undefined || own === featured ? [featured] : [featured, own];
  return [...first, ...keys.filter((key) => !first.includes(key))];
}

/** One's own tile is hidden, unless there is nobody else. */
function useSelfHidden({ others }: CallState): [boolean, (hidden: boolean) => void] {
  const [self, setSelf] = usePreference("self");
  return [self === "hidden" && others.length > 0, (hidden) => setSelf(hidden ? "hidden" : "shown")];
}

/** The last reaction of each participant: one ends nobody else's. */
function useReactions(latest: Reaction | null): ReadonlyMap<string, Reaction> {
  const reactions = useRef(new Map<string, Reaction>());
  if (latest) reactions.current.set(latest.from, latest);
  return reactions.current;
}

/** The tiles are one stop for Tab; arrow keys move between those that have actions. */
function useArrowKeys(tiles: readonly AnyTileView[]) {
  const [focused, setFocused] = useState<string | null>(null);
  const tabStop = tiles.some(({ key }) => key === focused) ? focused : (tiles[0]?.key ?? null);
  const keyOf = (target: EventTarget) =>
    target instanceof Element
      ? (target.closest("[data-key]")?.getAttribute("data-key") ?? null)
      : null;
  return {
    tabStop,
    onFocus: ({ target }: { target: EventTarget }) => setFocused(keyOf(target)),
    onKeyDown: (event: KeyboardEvent<HTMLUListElement>) => {
      const step = STEPS[event.key];
      if (step === undefined) return;
      const cells = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-key]")].filter(
        (cell) => cell.querySelector("[data-tile-action]"),
      );
      const current = cells.findIndex((cell) => cell.dataset.key === keyOf(event.target));
      const next = cells[(current + step + cells.length) % cells.length];
      if (current < 0 || !next || cells.length < 2) return;
      event.preventDefault();
      next.querySelector<HTMLElement>("[data-tile-action]")?.focus();
    },
  };
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowDown: 1,
};

/** Positioned by transform, which the compositor animates without a new page layout. */
function positionStyle(rect: Rect | undefined): CSSProperties {
  if (!rect) return { visibility: "hidden" };
  const { x, y, width, height } = rect;
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}

/** Part of a tile's lower edge that the floating tile covers, for the name to end before it. */
function coveredStyle(isBelow: boolean, floating: Rect | undefined, corner: Corner): CSSProperties {
  if (!isBelow || !floating || corner !== "bottomEnd") return {};
  return { "--covered": `${floating.width + GAP}px` } as CSSProperties;
}
