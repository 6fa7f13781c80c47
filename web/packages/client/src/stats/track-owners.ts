// Maps a track id of a statistics report to its participant and source.
import type { ParticipantId } from "../protocol.ts";
import type { Source } from "../rtc/source.ts";

export interface TrackOwners {
  /** Publisher and source of a received track. */
  received: (trackId: string) => { participant: ParticipantId; source: Source } | null;
  /** Source of one of this device's tracks. */
  local: (trackId: string) => Source | null;
}
