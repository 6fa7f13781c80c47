// What a participant sends: up to four tracks, each named by its source.

/** A track's source, in LiveKit's words. A track is named by its participant and source. */
export type Source = "microphone" | "camera" | "screen" | "screen_audio";

export const SOURCES: readonly Source[] = ["microphone", "camera", "screen", "screen_audio"];

/** What this device sends; null sends nothing. */
export type Tracks = Readonly<Record<Source, MediaStreamTrack | null>>;

/** What is received from one participant. */
export type Received = Readonly<Partial<Record<Source, MediaStreamTrack>>>;

export const NO_TRACKS: Tracks = {
  microphone: null,
  camera: null,
  screen: null,
  screen_audio: null,
};

export function kindOf(source: Source): "audio" | "video" {
  return source === "microphone" || source === "screen_audio" ? "audio" : "video";
}

/** A thing of each source where there is one. */
export type PerSource<T> = Partial<Record<Source, T>>;

/** The entries of such a record, typed by its keys. */
export function entriesOf<T>(record: Readonly<PerSource<T>>): [Source, T][] {
  return SOURCES.flatMap((source) => {
    const value = record[source];
    return value === undefined ? [] : [[source, value] as [Source, T]];
  });
}
