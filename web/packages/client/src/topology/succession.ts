// Of several tracks of one source, the one in use until a later one delivers: a participant, or this
// device, may have two links to the media server while one replaces the other.
import type { ParticipantId } from "../protocol.ts";
import type { PerSource, ReceivedTracks, Source } from "../rtc/source.ts";
import { SOURCES } from "../rtc/source.ts";

/** Tracks of a participant by source, the oldest link's first. */
export type Candidates = PerSource<readonly MediaStreamTrack[]>;

export class Succession {
  /** The tracks in use. */
  readonly #current = new Map<ParticipantId, ReceivedTracks>();

  /**
   * Chooses the tracks of a participant. `canFollow` tells whether one that is not in use
   * yet may follow the one that is.
   */
  choose(
    id: ParticipantId,
    candidates: Candidates,
    canFollow: (source: Source, track: MediaStreamTrack, former: MediaStreamTrack) => boolean,
  ): { readonly tracks: ReceivedTracks; readonly isAwaited: boolean } {
    const before = this.#current.get(id) ?? {};
    const tracks: PerSource<MediaStreamTrack> = {};
    let isAwaited = false;
    for (const source of SOURCES) {
      const all = candidates[source] ?? [];
      const track = chooseTrack(before[source], all, (each, held) => canFollow(source, each, held));
      if (!track) continue;
      tracks[source] = track;
      if (track !== all.at(-1)) isAwaited = true;
    }
    this.#current.set(id, tracks);
    return { tracks, isAwaited };
  }

  /** Forgets a participant that left. */
  remove(id: ParticipantId): void {
    this.#current.delete(id);
  }
}

/** The newest track that delivers; without one the track in use, or while there is none the oldest. */
function chooseTrack(
  current: MediaStreamTrack | undefined,
  candidates: readonly MediaStreamTrack[],
  canFollow: (track: MediaStreamTrack, held: MediaStreamTrack) => boolean,
): MediaStreamTrack | undefined {
  if (current && !candidates.includes(current)) return candidates.at(-1);
  const held = current ?? candidates[0];
  if (!held) return undefined;
  const later = candidates.slice(candidates.indexOf(held) + 1);
  return later.findLast((track) => canFollow(track, held)) ?? held;
}
