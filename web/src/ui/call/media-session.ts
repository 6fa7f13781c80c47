import { useEffect } from "react";
import type { LocalMedia } from "../../client/index.ts";
import { toggleCamera, toggleMic } from "../parts/media-toggles.tsx";

/** The keys of a headset and the controls of the system (https://www.w3.org/TR/mediasession/). */
type Action = MediaSessionAction | "togglemicrophone" | "togglecamera" | "hangup";

/**
 * Lets a headset's keys and the system's controls mute and hang up, where the browser can. Pause and
 * play do nothing: a call that a key on a headset stops would be silent without a word.
 */
export function useMediaSession(media: LocalMedia, leave: () => void): void {
  useEffect(() => {
    const session = navigator.mediaSession as MediaSession | undefined;
    const handlers: readonly [Action, () => void][] = [
      ["togglemicrophone", () => toggleMic(media)],
      ["togglecamera", () => toggleCamera(media)],
      ["hangup", leave],
      ["play", () => {}],
      ["pause", () => {}],
      ["stop", () => {}],
    ];
    const set = (action: Action, handler: (() => void) | null) => {
      try {
        session?.setActionHandler(action as MediaSessionAction, handler);
      } catch {
        // Not known to this browser: the page's own controls are there.
      }
    };
    const show = () => {
      try {
        const { camera, microphone } = media.getSnapshot();
        const active = session as
          | { setMicrophoneActive?(on: boolean): void; setCameraActive?(on: boolean): void }
          | undefined;
        active?.setMicrophoneActive?.(microphone.on);
        active?.setCameraActive?.(camera.on);
      } catch {
        // The same.
      }
    };
    for (const [action, handler] of handlers) set(action, handler);
    show();
    const forget = media.subscribe(show);
    return () => {
      forget();
      for (const [action] of handlers) set(action, null);
    };
  }, [media, leave]);
}
