/** The length of a call in the reader's words. */
import type { Messages } from "../i18n/en.ts";

export function lengthOf(seconds: number, { reach: { after } }: Pick<Messages, "reach">): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return after.seconds(whole);
  const minutes = Math.round(whole / 60);
  return minutes < 60
    ? after.minutes(minutes)
    : after.hours(Math.floor(minutes / 60), minutes % 60);
}
