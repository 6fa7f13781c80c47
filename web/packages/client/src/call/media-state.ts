// Media state that a participant announces to the others.
import type { LocalMediaState } from "../api.ts";
import type { MediaState } from "../protocol.ts";

/** The state of this device; `interrupted` is absent unless the system mutes an active source. */
export function mediaStateOf(
  { microphone, camera, screen }: Pick<LocalMediaState, "microphone" | "camera" | "screen">,
  hand: boolean,
): MediaState {
  const interrupted = {
    mic: microphone.on && microphone.interrupted,
    camera: camera.on && camera.interrupted,
  };
  return {
    mic: microphone.on,
    camera: camera.on,
    screen: screen.on,
    hand,
    ...((interrupted.mic || interrupted.camera) && { interrupted }),
  };
}

export function isSameMedia(a: MediaState, b: MediaState): boolean {
  return (
    a.mic === b.mic &&
    a.camera === b.camera &&
    a.screen === b.screen &&
    a.hand === b.hand &&
    isInterrupted(a, "mic") === isInterrupted(b, "mic") &&
    isInterrupted(a, "camera") === isInterrupted(b, "camera")
  );
}

/** The participant's system mutes a source that is on. */
export function isInterrupted(media: MediaState, source: "mic" | "camera"): boolean {
  return media[source] && media.interrupted?.[source] === true;
}
