/** Pages of tiles, and the order of tiles on them, computed without the DOM. */

/** The order in which tiles are shown. Only speakers who are out of sight change it. */
export interface TileOrder {
  keys: readonly string[];
  /** Keys of those who spoke, the last speaker first. */
  spoke: readonly string[];
  /** The tile that was shown large. */
  large: string | null;
}

export const NO_ORDER: TileOrder = { keys: [], spoke: [], large: null };

export interface OrderInput {
  /** Keys of all tiles but the user's, in the order in which they came. */
  present: readonly string[];
  /** Those of shared screens, which come first and stay there. */
  screens: ReadonlySet<string>;
  speaking: readonly string[];
  /** The large tile, which takes no part in pages. */
  large: string | null;
  /** The places in sight: from the first to before the end, without the large tile. */
  shown: { start: number; end: number };
}

/**
 * The next order: newcomers come last, and whoever speaks out of sight changes places with the
 * one in sight who has been silent longest. All others stay where they are. Returns the same
 * object if nothing changes.
 */
export function reduceOrder(order: TileOrder, input: OrderInput): TileOrder {
  const { present, screens, large } = input;
  const isPresent = new Set(present);
  const known = new Set(order.keys);
  const keys = [
    ...present.filter((key) => screens.has(key)),
    ...order.keys.filter((key) => isPresent.has(key) && !screens.has(key)),
    ...present.filter((key) => !known.has(key) && !screens.has(key)),
  ];
  const speaking = input.speaking.filter((key) => isPresent.has(key) && key !== large);
  const spoke = latestFirst(order.spoke, speaking, isPresent);
  // Whoever was large takes the place of who is now: nobody else in the strip moves.
  if (order.large !== large && order.large !== null && large !== null) {
    swap(keys, order.large, large, screens);
  }
  bringIntoSight(keys, { ...input, speaking, spoke });
  const isSame = areEqual(keys, order.keys) && areEqual(spoke, order.spoke);
  return isSame && large === order.large ? order : { keys, spoke, large };
}

function latestFirst(
  spoke: readonly string[],
  speaking: readonly string[],
  isPresent: ReadonlySet<string>,
): string[] {
  const before = spoke.filter((key) => isPresent.has(key));
  const talking = before.filter((key) => speaking.includes(key));
  const begins = speaking.filter((key) => !talking.includes(key));
  return [...begins, ...talking, ...before.filter((key) => !talking.includes(key))];
}

function bringIntoSight(
  keys: string[],
  {
    screens,
    speaking,
    spoke,
    large,
    shown: { start, end },
  }: OrderInput & { spoke: readonly string[] },
): void {
  /** Silence of a tile in sight: who never spoke has been silent longest, the last of them first. */
  const silence = (key: string) => {
    const since = spoke.indexOf(key);
    return since < 0 ? Number.POSITIVE_INFINITY : since;
  };
  for (const key of speaking) {
    const places = keys.filter((each) => each !== large);
    const inSight = places.slice(start, end);
    if (inSight.includes(key)) continue;
    const silent = inSight.filter((each) => !screens.has(each) && !speaking.includes(each));
    const longest = silent.reduce<string | null>(
      (most, each) => (most === null || silence(each) >= silence(most) ? each : most),
      null,
    );
    if (longest !== null) swap(keys, key, longest, screens);
  }
}

function swap(keys: string[], a: string, b: string, fixed: ReadonlySet<string>): void {
  const [i, j] = [keys.indexOf(a), keys.indexOf(b)];
  if (i < 0 || j < 0 || fixed.has(a) || fixed.has(b)) return;
  keys[i] = b;
  keys[j] = a;
}

function areEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i]);
}

export interface Paging {
  /** Number of pages, at least one. */
  pages: number;
  /** Tiles of others on each page; the user's own comes after them on every page. */
  perPage: number;
}

/** Pages for a number of tiles besides the user's own, of which there are none or one. */
export function pagingOf(others: number, own: 0 | 1, capacity: number): Paging {
  if (others + own <= capacity) return { pages: 1, perPage: Math.max(others, 1) };
  const perPage = Math.max(1, capacity - own);
  return { pages: Math.ceil(others / perPage), perPage };
}
