/** Place of every tile on the stage for a view, a page and a size, computed without the DOM. */
import {
  arrange,
  arrangeAround,
  type Corner,
  floatingRect,
  halves,
  isAbovePanel,
  isVisible,
  pageCapacity,
  type Rect,
  type Stage,
} from "./layout.ts";
import { type Paging, pagingOf } from "./pages.ts";

/** Key of the invitation among the keys of tiles, which are participant ids. */
export const INVITATION_KEY = "invitation";

/** Height (px) of the row with the buttons of pages. */
export const PAGER_HEIGHT = 48;

/** Height (px) of a stage that has no room for it. */
const LOW_STAGE = 150;

export interface StageInput {
  size: Stage;
  corner: Corner;
  /** Number of tiles besides the user's own, the large one included. */
  others: number;
  /** Key of the user's own tile; null if it is not shown. */
  own: string | null;
  /** Key of the tile that floats above the others. */
  floating: string | null;
  large: string | null;
  /** The large tile and the others have one half each. */
  isSideBySide: boolean;
}

/** The parts of a stage, before it is known who is in which place. */
export interface StagePlan {
  kind: "invitation" | "pair" | "grid" | "strip";
  /** The tile that floats or is large has its own place. */
  large: Rect | null;
  floating: Rect | null;
  /** Position of the pages. */
  grid: Rect;
  paging: Paging;
  /** The row with their buttons is below them. */
  hasPager: boolean;
  /** Places of the strip, in which the user's own tile is the first. */
  strip: readonly Rect[];
  height: number;
  /** Number of others that are in sight without turning pages or scrolling. */
  inSight: number;
}

const none: readonly Rect[] = [];

export function planStage(input: StageInput): StagePlan {
  const { size, corner, others, own, floating, large, isSideBySide } = input;
  const whole: Rect = { x: 0, y: 0, ...size };
  const isOwnPlaced = own !== null && own !== floating && own !== large;
  /** Tiles besides the user's own that are neither large nor floating. */
  const rest = others - (isOther(large, own) ? 1 : 0) - (isOther(floating, own) ? 1 : 0);
  const count = rest + (isOwnPlaced ? 1 : 0);
  const plan = {
    large: null,
    floating: null,
    grid: whole,
    hasPager: false,
    strip: none,
    height: size.height,
  };
  if (others === 0 && own !== null) {
    return { ...plan, kind: "invitation", paging: pagingOf(0, 1, 2), inSight: 0 };
  }
  if (large === null && floating !== null && count === 1) {
    const paging = pagingOf(rest, isOwnPlaced ? 1 : 0, 2);
    return { ...plan, kind: "pair", floating: floatingRect(size, corner), paging, inSight: 1 };
  }
  const above = floating === null ? null : floatingRect(size, corner, true);
  if (large !== null && !isSideBySide) {
    const { tiles, height } = arrangeAround(count, size);
    const [first, ...strip] = tiles;
    const seen = strip.filter((rect) => isVisible(rect, 0, size)).length;
    return {
      ...plan,
      kind: "strip",
      large: first ?? null,
      floating: above,
      paging: { pages: 1, perPage: Math.max(rest, 1) },
      strip,
      height,
      inSight: Math.max(0, seen - (isOwnPlaced ? 1 : 0)),
    };
  }
  const [half, other] = large === null || count === 0 ? [whole, whole] : halves(size);
  const { grid, paging, hasPager } = pagesIn(other, rest, isOwnPlaced ? 1 : 0);
  return {
    ...plan,
    kind: "grid",
    large: large === null ? null : half,
    floating: above,
    grid,
    paging,
    hasPager,
    inSight: paging.perPage,
  };
}

function isOther(key: string | null, own: string | null): boolean {
  return key !== null && key !== own;
}

/**
 * Pages within a rect, above a row with their buttons if there is more than one. Fingers turn the
 * pages of a low stage, which only phones have.
 */
function pagesIn(
  rect: Rect,
  others: number,
  own: 0 | 1,
): Pick<StagePlan, "grid" | "paging" | "hasPager"> {
  const whole = pagingOf(others, own, pageCapacity(rect));
  if (whole.pages === 1 || rect.height < LOW_STAGE || isAbovePanel(rect)) {
    return { grid: rect, paging: whole, hasPager: false };
  }
  const grid = { ...rect, height: Math.max(1, rect.height - PAGER_HEIGHT) };
  return { grid, paging: pagingOf(others, own, pageCapacity(grid)), hasPager: true };
}

/** Places by key. Tiles of other pages are beside the stage, in the direction of their page. */
export function placeTiles(
  plan: StagePlan,
  {
    size,
    own,
    floating,
    large,
    page,
    order,
  }: Pick<StageInput, "size" | "own" | "floating" | "large"> & {
    page: number;
    /** Keys of the tiles besides the user's own, in order. */
    order: readonly string[];
  },
): Map<string, Rect> {
  const rects = new Map<string, Rect>();
  if (size.width <= 0 || size.height <= 0) return rects;
  const rest = order.filter((key) => key !== large && key !== floating);
  const ownPlaced = own !== null && own !== floating && own !== large ? [own] : [];
  const put = (keys: readonly string[], places: readonly Rect[], x = 0, y = 0) => {
    keys.forEach((key, i) => {
      const place = places[i];
      if (place) rects.set(key, { ...place, x: place.x + x, y: place.y + y });
    });
  };
  if (plan.kind === "invitation") {
    put([INVITATION_KEY, ...ownPlaced], arrange(2, size, { mayFloat: false }).tiles);
  } else if (plan.kind === "strip") {
    put([...ownPlaced, ...rest], plan.strip);
  } else {
    const { grid, paging } = plan;
    const fills = large === null;
    for (let i = 0; i < paging.pages; i++) {
      const others = rest.slice(i * paging.perPage, (i + 1) * paging.perPage);
      // One's own tile is on the page that is shown.
      const keys = i === page ? [...others, ...ownPlaced] : others;
      const count = others.length + ownPlaced.length;
      const { tiles } = arrange(count, grid, { mayFloat: false, fills });
      put(keys, tiles, grid.x + Math.sign(i - page) * (size.width + grid.width), grid.y);
    }
  }
  if (large !== null && plan.large) rects.set(large, plan.large);
  if (floating !== null && plan.floating) rects.set(floating, plan.floating);
  return rects;
}
