import { useEffect } from "react";
import { useClient } from "../client-context.ts";
import { usePreference } from "../use-preference.ts";
import { focusOf, isTalkKey } from "./push-to-talk.ts";

/**
 * With push to talk, the microphone is muted on joining and on only while the key is held. Its
 * button works as ever.
 */
export function usePushToTalk(maySpeak: boolean): void {
  const { media } = useClient();
  const [pushToTalk] = usePreference("pushToTalk");
  const isActive = pushToTalk === "on" && maySpeak;
  useEffect(() => {
    if (!isActive) return;
    void media.setMicrophone(false);
    let held: string | null = null;
    const release = () => {
      if (held !== null) void media.setMicrophone(false);
      held = null;
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (!isTalkKey(event, focusOf(document))) return;
      // The space bar would scroll the page.
      event.preventDefault();
      if (event.repeat || held !== null || media.getSnapshot().microphone.on) return;
      held = event.code;
      void media.setMicrophone(true);
    };
    const onKeyUp = ({ code }: KeyboardEvent) => {
      if (code === held) release();
    };
    addEventListener("keydown", onKeyDown);
    addEventListener("keyup", onKeyUp);
    // The key may be let go where this page does not see it.
    addEventListener("blur", release);
    return () => {
      release();
      removeEventListener("keydown", onKeyDown);
      removeEventListener("keyup", onKeyUp);
      removeEventListener("blur", release);
    };
  }, [isActive, media]);
}
