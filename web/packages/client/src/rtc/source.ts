// Tracks of a participant: at most one per source.
import type { TrackSource } from "../protocol.ts";

/** Source of a track. A track is identified by its participant and source. */
export type Source = TrackSource;

export const SOURCES: readonly Source[] = ["microphone", "camera", "screen", "screen_audio"];

/** This device's tracks; null sends nothing. */
export type Tracks = Readonly<Record<Source, MediaStreamTrack | null>>;

/** Tracks received from one participant. */
export type ReceivedTracks = Readonly<Partial<Record<Source, MediaStreamTrack>>>;

export const NO_TRACKS: Tracks = {
  microphone: null,
  camera: null,
  screen: null,
  screen_audio: null,
};

/** Sources that this device may send, and whether it may receive. */
export interface MediaRights {
  readonly sends: readonly Source[];
  readonly receives: boolean;
}

export const ALL_RIGHTS: MediaRights = { sends: SOURCES, receives: true };

export function kindOf(source: Source): "audio" | "video" {
  return source === "microphone" || source === "screen_audio" ? "audio" : "video";
}

/** A value for some of the sources. */
export type PerSource<T> = Partial<Record<Source, T>>;

/** `Object.entries` with typed keys. */
export function entriesOf<T>(record: Readonly<PerSource<T>>): [Source, T][] {
  return SOURCES.flatMap((source) => {
    const value = record[source];
    return value === undefined ? [] : [[source, value] as [Source, T]];
  });
}
