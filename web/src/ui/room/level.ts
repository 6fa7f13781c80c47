/** Levels (dBFS) at which the meter shows no bars and all bars. */
const MIN_DBFS = -50;
const MAX_DBFS = -8;

/** Number of lit bars for a linear level of 0 to 1, in even steps of decibels. */
export function litBars(level: number, bars: number): number {
  if (level <= 0) return 0;
  const decibels = 20 * Math.log10(level);
  const fraction = (decibels - MIN_DBFS) / (MAX_DBFS - MIN_DBFS);
  return Math.round(Math.min(Math.max(fraction, 0), 1) * bars);
}
