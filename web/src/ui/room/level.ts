/** Number of lit bars for a level on the meter's scale, 0 to 1, which is even in decibels. */
export function litBars(level: number, bars: number): number {
  return Math.round(Math.min(Math.max(level, 0), 1) * bars);
}
