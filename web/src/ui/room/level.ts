/** The quietest loudness that lights a bar, and the one that lights all, in dB of full scale. */
const QUIET = -50;
const LOUD = -8;

/** How many of `bars` are lit at a loudness of 0 to 1; even steps as ears hear them. */
export function litBars(level: number, bars: number): number {
  if (level <= 0) return 0;
  const decibels = 20 * Math.log10(level);
  const part = (decibels - QUIET) / (LOUD - QUIET);
  return Math.round(Math.min(Math.max(part, 0), 1) * bars);
}
