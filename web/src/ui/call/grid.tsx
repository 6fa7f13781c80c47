import type { Call, CallState, Reaction } from "moim-client";
import {
  type CSSProperties,
  type ReactNode,
  type UIEvent,
  useCallback,
  useMemo,
  useRef,
  useState,
} from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { Icon } from "../parts/icon.tsx";
import { usePreference } from "../use-preference.ts";
import { useFloating } from "./floating.ts";
import { TILES_ID } from "./focus-parts.ts";
import styles from "./grid.module.css";
import { Invitation } from "./invitation.tsx";
import { coveredWidth, type Rect } from "./layout.ts";
import { Pager, pagerWidth } from "./pager.tsx";
import { ScreenTile } from "./screen-tile.tsx";
import { INVITATION_KEY, placeTiles, planStage } from "./stage-layout.ts";
import tileStyles from "./tile.module.css";
import { Tile } from "./tile.tsx";
import { type AnyTileView, featuredOf, tilesOf, withCamera } from "./tile-view.ts";
import { placeToasts } from "./toast-place.ts";
import { useArrowKeys } from "./use-arrow-keys.ts";
import { useOrder } from "./use-order.ts";
import { type Pin, pinnedKey } from "./use-pin.ts";
import { useSize } from "./use-size.ts";
import { useTouch } from "./use-touch.ts";
import { useViewports } from "./use-viewports.ts";
import type { View } from "./view.ts";

interface Props {
  call: Call;
  state: CallState;
  view: View;
  pin: Pin | null;
  onPin: (tile: AnyTileView | null) => void;
  /** Key of the tile that is also in a small window. */
  popped: string | null;
  /** Lies over the tiles, above the floating one. */
  children?: ReactNode;
}

/**
 * The tiles of a call: pages of equal tiles, or a large tile with the others in a strip or beside
 * it. While the user is alone, an invitation takes the place of the other participants.
 */
export function Grid({ call, state, view, pin, onPin, popped, children }: Props) {
  const { t } = useI18n();
  const { media } = useClient();
  const { cameraStream, screen } = useReadable(media);
  const { ref, size } = useSize<HTMLDivElement>();
  const [scrolled, setScrolled] = useState(0);
  const [chosenPage, setPage] = useState(0);
  const [tapped, setTapped] = useState<string | null>(null);
  const [menu, setMenu] = useState<string | null>(null);
  const [isSwapped, setSwapped] = useState(false);
  const [self, setSelf] = usePreference("self");
  const [cameraless, setCameraless] = usePreference("cameraless");
  const reactions = useReactions(state.reaction);
  const floatingTile = useFloating(size);

  const isSelfHidden = self === "hidden" && state.others.length > 0;
  const all = tilesOf(state, { camera: cameraStream, screen: screen.stream }, reactions);
  const tiles = isSelfHidden ? all.filter((tile) => !isOwn(tile)) : all;
  const pinned = pinnedKey(pin, tiles);
  // All tiles stay in the page, as they play the sound, but only these have a place.
  const placed = cameraless === "hidden" ? withCamera(tiles, pinned) : tiles;
  const { speaker, spotlight } = state;
  const featured =
    view === "grid" && pinned === null
      ? null
      : featuredOf(placed, { pinned, isSpeakerView: view !== "auto", speaker, spotlight });
  const own = placed.find(isOwn)?.key ?? null;
  const isPair = placed.length === 2 && placed.every(({ kind }) => kind === "person");
  const floats = own !== null && (isPair ? view !== "side" : self === "floating");
  const others = placed.flatMap(({ key }) => (key === own ? [] : key));
  const floating = !floats || others.length === 0 ? null : isPair && isSwapped ? others[0] : own;
  // With two people, the other participant fills the stage in any layout but side by side.
  const large = isPair && floats ? null : featured;
  const stage = {
    size,
    corner: floatingTile.corner,
    others: others.length,
    own,
    floating: floating === undefined || floating === large ? null : floating,
    large,
    isSideBySide: view === "side",
  };
  const plan = planStage(stage);
  const { paging, grid } = plan;
  const page = Math.min(chosenPage, paging.pages - 1);
  const order = useOrder({
    present: others,
    screens: new Set(placed.flatMap(({ kind, key }) => (kind === "screen" ? [key] : []))),
    speaking: placed.flatMap((tile) =>
      tile.kind === "person" && tile.isSpeaking && !tile.isSelf ? [tile.key] : [],
    ),
    large: large === own ? null : large,
    shown: { start: page * paging.perPage, end: page * paging.perPage + plan.inSight },
  });
  const rects = placeTiles(plan, { ...stage, page, order });
  useViewports(call, tiles, { rects, scrolled, size, large, popped });
  const inSight = tiles.filter(({ key }) => isOnPage(rects.get(key)));
  const { tabStop, onFocus, onKeyDown } = useArrowKeys(inSight.map(({ key }) => key));
  const turn = useCallback((next: number) => {
    setPage(next);
    setTapped(null);
  }, []);
  const touch = useTouch({
    onTap: (key) => {
      if (isPair && key === stage.floating) setSwapped(!isSwapped);
      else setTapped(key === tapped ? null : key);
    },
    onHold: (key) => (key === own ? setTapped(key) : setMenu(key)),
    onSwipe: (step, key) => {
      const next = page + step;
      if (key !== stage.floating && next >= 0 && next < paging.pages) turn(next);
    },
  });

  function isOnPage(rect: Rect | undefined): boolean {
    return rect !== undefined && rect.x < size.width && rect.x + rect.width > 0;
  }
  const floatingRect = stage.floating === null ? undefined : rects.get(stage.floating);
  const invitation = rects.get(INVITATION_KEY);
  // biome-ignore lint/correctness/useExhaustiveDependencies: text of another size changes the stage.
  const scale = useMemo(textScale, [size]);
  const named = inSight.flatMap(({ key }) => {
    const rect = key === stage.floating ? undefined : rects.get(key);
    return rect ? [{ ...rect, y: key === large ? rect.y : rect.y - scrolled }] : [];
  });
  const pager = plan.hasPager
    ? {
        height: size.height - grid.y - grid.height,
        left: grid.x + (grid.width - pagerWidth(scale)) / 2,
      }
    : null;
  const toasts = placeToasts(size, { tiles: named, floating: floatingRect, pager }, scale);
  const away = tiles.length - placed.length;

  return (
    <div
      className={styles.stage}
      data-toast-room={toasts.room}
      style={
        {
          "--toast-bottom": `${toasts.bottom}px`,
          "--toast-width": `${toasts.width}px`,
        } as CSSProperties
      }
    >
      <div
        ref={ref}
        className={`${styles.scroller} ${plan.height > size.height ? styles.scrolls : ""}`}
        onScroll={(event: UIEvent) => setScrolled(event.currentTarget.scrollTop)}
      >
        <ul
          id={TILES_ID}
          className={styles.grid}
          aria-label={t.call.participants}
          data-featured={large ?? undefined}
          data-view={view}
          style={{ height: Math.max(plan.height, size.height) }}
          onFocus={onFocus}
          onKeyDown={onKeyDown}
          {...touch}
        >
          {invitation ? (
            <li key={INVITATION_KEY} className={styles.cell} style={positionStyle(invitation)}>
              <Invitation room={state.room.name} />
            </li>
          ) : null}
          {tiles.map((tile) => {
            const isFloating = tile.key === stage.floating;
            const isPinned = tile.key === pinned;
            const rect = rects.get(tile.key);
            const actions = {
              isLarge: tile.key === featured,
              isPinned,
              // With two tiles there is nothing to pin.
              onPin: tiles.length > 2 ? () => onPin(isPinned ? null : tile) : undefined,
              isTabStop: tile.key === tabStop,
              isMenuOpen: tile.key === menu && isOnPage(rect),
              onMenu: (isOpen: boolean) => setMenu(isOpen ? tile.key : null),
            };
            const classes = [
              styles.cell,
              tile.key === large ? styles.large : "",
              isOnPage(rect) ? "" : styles.away,
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
                  ...coveredStyle(rect, isFloating ? undefined : floatingRect),
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
                    onHide={
                      tile.isSelf && state.others.length > 0 ? () => setSelf("hidden") : undefined
                    }
                  />
                )}
              </li>
            );
          })}
        </ul>
      </div>
      {plan.hasPager ? <Pager page={page} pages={paging.pages} grid={grid} onPage={turn} /> : null}
      <div className={styles.restores}>
        {away > 0 ? (
          <button
            type="button"
            className={styles.restore}
            data-testid="show-cameraless"
            onClick={() => setCameraless("shown")}
          >
            <Icon name="cameraOff" size={18} />
            {t.layout.withoutCamera(away)}
          </button>
        ) : null}
        {isSelfHidden ? (
          <button
            type="button"
            className={styles.restore}
            data-testid="show-self"
            onClick={() => setSelf("shown")}
          >
            <Icon name="camera" size={18} />
            {t.call.showSelf}
          </button>
        ) : null}
      </div>
      {children}
    </div>
  );
}

function isOwn({ kind, isSelf }: AnyTileView): boolean {
  return kind === "person" && isSelf;
}

/** The video of a tile of the page. */
export function videoOf(key: string | null): HTMLVideoElement | null {
  return key === null ? null : document.querySelector(`[data-key="${CSS.escape(key)}"] video`);
}

/** The last reaction of each participant: one ends nobody else's. */
function useReactions(latest: Reaction | null): ReadonlyMap<string, Reaction> {
  const reactions = useRef(new Map<string, Reaction>());
  if (latest) reactions.current.set(latest.from, latest);
  return reactions.current;
}

/** Positioned by transform, which the compositor animates without a new page layout. */
function positionStyle(rect: Rect | undefined): CSSProperties {
  if (!rect) return { visibility: "hidden" };
  const { x, y, width, height } = rect;
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}

/** Size of the text, as a multiple of the usual one. */
function textScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/** Part of a tile's lower edge that the floating tile covers, for the name to end before it. */
function coveredStyle(tile: Rect | undefined, floating: Rect | undefined): CSSProperties {
  const covered = tile && floating ? coveredWidth(tile, floating) : 0;
  return covered > 0 ? ({ "--covered": `${covered}px` } as CSSProperties) : {};
}
