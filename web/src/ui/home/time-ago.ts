/** Time since an event, in the reader's words: "2 hours ago", "어제". */

const UNITS = [
  ["minute", 60_000],
  ["hour", 60 * 60_000],
  ["day", 24 * 60 * 60_000],
  ["week", 7 * 24 * 60 * 60_000],
] as const;

/** Null within the last minute. */
export function timeAgo(then: number, now: number, language: string): string | null {
  const passed = now - then;
  const unit = UNITS.findLast(([, ms]) => passed >= ms);
  if (!unit) return null;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return format.format(-Math.floor(passed / unit[1]), unit[0]);
}
