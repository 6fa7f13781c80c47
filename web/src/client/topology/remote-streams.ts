// What of the others is shown and heard. Each has two streams that stay the same for the whole
// call: where a track comes by another way, it takes the old one's place within them, so the
// element that plays the stream goes on, with the last picture until the next one.
import type { LinkPlatform } from "./mesh-link.ts";
import type { ParticipantId } from "../protocol.ts";
import { type Received, SOURCES, type Source } from "../rtc/source.ts";

/** One participant's. */
export interface Shown {
  /** Voice and camera; null until there was anything. */
  readonly stream: MediaStream | null;
  /** The shared screen and its sound; null until there was anything. */
  readonly screen: MediaStream | null;
}

const NOTHING: Shown = { stream: null, screen: null };
const GROUPS: Readonly<Record<keyof Shown, readonly Source[]>> = {
  stream: ["microphone", "camera"],
  screen: ["screen", "screen_audio"],
};

export class Gallery {
  readonly #createStream: LinkPlatform["createStream"];
  readonly #shown = new Map<ParticipantId, Shown>();
  readonly #tracks = new Map<ParticipantId, Received>();

  constructor(createStream: LinkPlatform["createStream"]) {
    this.#createStream = createStream;
  }

  shown(id: ParticipantId): Shown {
    return this.#shown.get(id) ?? NOTHING;
  }

  /** Shows exactly these tracks of somebody. */
  show(id: ParticipantId, tracks: Received): Shown {
    const before = this.#tracks.get(id) ?? {};
    if (SOURCES.every((source) => before[source] === tracks[source])) return this.shown(id);
    const shown = this.shown(id);
    const next: Shown = {
      stream: this.#filled(shown.stream, GROUPS.stream, before, tracks),
      screen: this.#filled(shown.screen, GROUPS.screen, before, tracks),
    };
    this.#shown.set(id, next);
    this.#tracks.set(id, tracks);
    return next;
  }

  /** Somebody is gone. */
  forget(id: ParticipantId): void {
    this.show(id, {});
    this.#shown.delete(id);
    this.#tracks.delete(id);
  }

  #filled(
    stream: MediaStream | null,
    group: readonly Source[],
    before: Received,
    tracks: Received,
  ): MediaStream | null {
    const all = group.flatMap((source) => tracks[source] ?? []);
    if (!stream) return all.length > 0 ? this.#createStream(all) : null;
    // One after the other, and out before in: Firefox shows the one that comes when there is none,
    // and begins anew when there was nothing at all for a moment.
    for (const source of group) {
      const [out, into] = [before[source], tracks[source]];
      if (out === into) continue;
      if (out) stream.removeTrack(out);
      if (into) stream.addTrack(into);
    }
    return stream;
  }
}
