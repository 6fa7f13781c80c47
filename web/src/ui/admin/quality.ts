/** Quality of a participant's last ten seconds, in words. */
import type { Quality } from "../../admin/types.ts";
import type { Texts } from "./texts/index.ts";

export type Grade = "good" | "fair" | "poor";

/** Thousandths of lost packets from which on people notice, and from which on they suffer. */
const LOSS_FAIR = 20;
const LOSS_POOR = 60;
/** Round trips from which on people interrupt each other, and from which on talking is hard. */
const ROUND_TRIP_FAIR_MS = 250;
const ROUND_TRIP_POOR_MS = 500;

export function gradeOf(quality: Quality): Grade {
  const loss = Math.max(quality.loss_up_permille ?? 0, quality.loss_down_permille ?? 0);
  const roundTrip = quality.round_trip_ms ?? 0;
  const isStill = (quality.stalled_pictures ?? 0) > 0;
  if (quality.interrupted || loss >= LOSS_POOR || roundTrip >= ROUND_TRIP_POOR_MS) return "poor";
  const isSlow = isTooSlow(quality);
  const isFair = loss >= LOSS_FAIR || roundTrip >= ROUND_TRIP_FAIR_MS || isStill || isSlow;
  return isFair ? "fair" : "good";
}

/** Notable facts of it, the worst first. */
export function troublesOf(quality: Quality, t: Texts["quality"]): string[] {
  const troubles: string[] = [];
  const { loss_up_permille: up = 0, loss_down_permille: down = 0 } = quality;
  const { round_trip_ms: roundTrip = 0, stalled_pictures: still = 0 } = quality;
  if (quality.interrupted) troubles.push(t.interrupted);
  if (up >= LOSS_FAIR) troubles.push(t.lossUp(percent(up)));
  if (down >= LOSS_FAIR) troubles.push(t.lossDown(percent(down)));
  if (still > 0) troubles.push(t.still(still));
  if (roundTrip >= ROUND_TRIP_FAIR_MS) troubles.push(t.roundTrip(roundTrip));
  if (isTooSlow(quality)) troubles.push(t.cpu);
  return troubles;
}

/** The encoder had to send less, or the whole page was late. */
function isTooSlow({ limited_by: limit }: Quality): boolean {
  return limit === "cpu" || limit === "overload";
}

/** Thousandths as a percentage. */
export function percent(permille: number): string {
  const value = permille / 10;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
