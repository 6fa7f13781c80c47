/**
 * True if two sets of props of a tile show the same, for `memo`: each event of a call makes new
 * views of all tiles, of which most are as before. Functions count as the same, since what a
 * tile's actions do depends on its other props only.
 */
export function isSameTile<P extends object>(before: P, after: P): boolean {
  const keys = Object.keys(after) as (keyof P)[];
  return (
    keys.length === Object.keys(before).length &&
    keys.every((key) => isSame(before[key], after[key]))
  );
}

function isSame(before: unknown, after: unknown): boolean {
  if (typeof before === "function" && typeof after === "function") return true;
  return Object.is(before, after) || (isView(before) && isView(after) && isSameView(before, after));
}

type View = Readonly<Record<string, unknown>>;

/** A view is a plain object; streams and reactions are themselves. */
function isView(value: unknown): value is View {
  return typeof value === "object" && value !== null && "kind" in value && "isSelf" in value;
}

function isSameView(before: View, after: View): boolean {
  const keys = Object.keys(after);
  return (
    keys.length === Object.keys(before).length &&
    keys.every((key) => Object.is(before[key], after[key]))
  );
}
