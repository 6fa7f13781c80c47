// The media sections of a mesh link, by what they carry.
import type { PerSource, Source } from "./source.ts";

export type Sections = PerSource<RTCRtpTransceiver>;

/** What a section has to have to be told apart. */
interface Section {
  readonly mid: string | null;
  readonly currentDirection?: RTCRtpTransceiverDirection | null;
  readonly receiver: { readonly track: { readonly kind: string } };
}

/** The sources of a kind, in the order of their sections in the link's descriptions. */
const ORDER: Readonly<Record<string, readonly Source[]>> = {
  audio: ["microphone", "screen_audio"],
  video: ["camera", "screen"],
};

/**
 * The negotiated sections by source: the first of each kind is the microphone and the camera, the
 * second, once somebody has shared a screen, the screen and its sound.
 */
export function sectionsOf<T extends Section>(transceivers: readonly T[]): PerSource<T> {
  const found: PerSource<T> = {};
  for (const [kind, sources] of Object.entries(ORDER)) {
    const ofKind = transceivers.filter(
      ({ mid, currentDirection, receiver }) =>
        mid !== null && currentDirection !== "stopped" && receiver.track.kind === kind,
    );
    sources.forEach((source, i) => {
      const section = ofKind[i];
      if (section) found[source] = section;
    });
  }
  return found;
}
