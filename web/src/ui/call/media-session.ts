import type { LocalMedia } from "moim-client";
import { useEffect } from "react";
import { toggleCamera, toggleMic } from "../parts/media-toggles.tsx";

/** Actions of headset keys and system controls (https://www.w3.org/TR/mediasession/). */
type Action =
  | MediaSessionAction
  | "togglemicrophone"
  | "togglecamera"
  | "hangup"
  | "enterpictureinpicture";

interface Actions {
  leave: () => void;
  /** The user turned to another tab, and the browser lets the call follow in a small window. */
  popOut: () => void;
}

/**
 * Lets headset keys and system controls mute and hang up, if the browser supports it. Pause and
 * play are handled and do nothing: otherwise a headset's pause key would silence the call.
 */
export function useMediaSession(
  media: LocalMedia,
  maySpeak: boolean,
  { leave, popOut }: Actions,
): void {
  useEffect(() => {
    const session = navigator.mediaSession as MediaSession | undefined;
    const handlers: readonly [Action, () => void][] = [
      ["togglemicrophone", () => maySpeak && toggleMic(media)],
      ["togglecamera", () => maySpeak && toggleCamera(media)],
      ["hangup", leave],
      ["enterpictureinpicture", popOut],
      ["play", () => {}],
      ["pause", () => {}],
      ["stop", () => {}],
    ];
    const set = (action: Action, handler: (() => void) | null) => {
      try {
        session?.setActionHandler(action as MediaSessionAction, handler);
      } catch {
        // Unsupported action: the page's own controls remain.
      }
    };
    const update = () => {
      try {
        const { camera, microphone } = media.getSnapshot();
        const active = session as
          | { setMicrophoneActive?(on: boolean): void; setCameraActive?(on: boolean): void }
          | undefined;
        active?.setMicrophoneActive?.(microphone.on);
        active?.setCameraActive?.(camera.on);
      } catch {
        // Unsupported.
      }
    };
    for (const [action, handler] of handlers) set(action, handler);
    update();
    const unsubscribe = media.subscribe(update);
    return () => {
      unsubscribe();
      for (const [action] of handlers) set(action, null);
    };
  }, [media, maySpeak, leave, popOut]);
}
