// Detects an upload that is too weak for what this device sends, from the facts of the last seconds.
import type { CallFacts } from "../api.ts";

/** Share of measurements at which the encoder was limited by bandwidth. */
const LIMITED_SHARE = 0.5;
/** Available bandwidth below which a limited upload is weak, in kb/s. */
const WEAK_KBPS = 600;
/** Share of sent packets that are lost. */
const LOST_SHARE = 0.08;
/** Fewest packets that say something about loss. */
const MIN_PACKETS = 200;

/** True if the upload is too weak for what is sent: false while nothing is known. */
export function isUploadWeak(facts: CallFacts | null): boolean {
  if (!facts) return false;
  const { limitedBandwidth, availableKbps, sent } = facts;
  const packets = sent.reduce((all, link) => all + link.packets, 0);
  const lost = sent.reduce((all, link) => all + link.lost, 0);
  if (packets >= MIN_PACKETS && lost / packets >= LOST_SHARE) return true;
  return limitedBandwidth >= LIMITED_SHARE && (availableKbps ?? 0) < WEAK_KBPS;
}
