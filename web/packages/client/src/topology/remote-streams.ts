// Streams of the remote participants, two each, which stay the same for the whole call. A track
// that arrives by another route replaces the old one within its stream, so that the media element
// keeps playing, with the last frame until the next one.
import type { ParticipantId } from "../protocol.ts";
import type { RtcPlatform } from "../rtc/platform.ts";
import { type ReceivedTracks, SOURCES, type Source } from "../rtc/source.ts";

/** Streams of one participant. */
export interface ParticipantStreams {
  /** Microphone and camera; null until a track arrives. */
  readonly stream: MediaStream | null;
  /** Shared screen and its audio; null until a track arrives. */
  readonly screen: MediaStream | null;
}

const NO_STREAMS: ParticipantStreams = { stream: null, screen: null };
const GROUPS: Readonly<Record<keyof ParticipantStreams, readonly Source[]>> = {
  stream: ["microphone", "camera"],
  screen: ["screen", "screen_audio"],
};

export class RemoteStreams {
  readonly #createStream: RtcPlatform["createStream"];
  readonly #streams = new Map<ParticipantId, ParticipantStreams>();
  readonly #tracks = new Map<ParticipantId, ReceivedTracks>();

  constructor(createStream: RtcPlatform["createStream"]) {
    this.#createStream = createStream;
  }

  /** Puts exactly these tracks into a participant's streams. */
  setTracks(id: ParticipantId, tracks: ReceivedTracks): ParticipantStreams {
    const before = this.#tracks.get(id) ?? {};
    const streams = this.#streams.get(id) ?? NO_STREAMS;
    if (SOURCES.every((source) => before[source] === tracks[source])) return streams;
    const next: ParticipantStreams = {
      stream: this.#updated(streams.stream, GROUPS.stream, before, tracks),
      screen: this.#updated(streams.screen, GROUPS.screen, before, tracks),
    };
    this.#streams.set(id, next);
    this.#tracks.set(id, tracks);
    return next;
  }

  /** Removes a participant that left. */
  remove(id: ParticipantId): void {
    this.setTracks(id, {});
    this.#streams.delete(id);
    this.#tracks.delete(id);
  }

  #updated(
    stream: MediaStream | null,
    group: readonly Source[],
    before: ReceivedTracks,
    tracks: ReceivedTracks,
  ): MediaStream | null {
    if (!stream) {
      const all = group.flatMap((source) => tracks[source] ?? []);
      return all.length > 0 ? this.#createStream(all) : null;
    }
    // One source at a time, remove before add: Firefox displays an added track only if there is
    // none of its kind, and restarts playback if the stream was empty for a moment.
    for (const source of group) {
      const removed = before[source];
      const added = tracks[source];
      if (removed === added) continue;
      if (removed) stream.removeTrack(removed);
      if (added) stream.addTrack(added);
    }
    return stream;
  }
}
