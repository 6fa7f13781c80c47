import { useEffect, useRef, useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { useSink } from "../parts/use-sink.ts";
import { TestButton } from "./test-button.tsx";

const RECORDING_MS = 3_000;

type State = "idle" | "recording" | "playing" | "failed";

/**
 * Records the microphone for three seconds and plays it back on the chosen speaker. Nothing is
 * sent; in a call the microphone is muted meanwhile.
 */
export function EchoTest({ isJoined = false }: { isJoined?: boolean }) {
  const { t } = useI18n();
  const { media } = useClient();
  const { microphone } = useReadable(media);
  const ref = useRef<HTMLAudioElement>(null);
  const isMounted = useRef(true);
  const [state, setState] = useState<State>("idle");
  /** Undoes what the test changed; null while none runs. */
  const restore = useRef<(() => void) | null>(null);
  useSink(ref);
  useEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
      restore.current?.();
    };
  }, []);

  function end(state: State) {
    restore.current?.();
    restore.current = null;
    if (isMounted.current) setState(state);
  }

  async function run() {
    setState("recording");
    const unmute = isJoined ? media.muteForTest() : null;
    let url: string | undefined;
    restore.current = () => {
      unmute?.();
      if (url) URL.revokeObjectURL(url);
    };
    try {
      const recording = await media.recordMicrophone(RECORDING_MS);
      const audio = ref.current;
      if (!audio || !isMounted.current) return;
      setState("playing");
      url = URL.createObjectURL(recording);
      audio.src = url;
      await audio.play();
    } catch {
      end("failed");
    }
  }

  return (
    <>
      <TestButton
        icon="mic"
        label={t.sound.testMic}
        running={
          state === "recording"
            ? t.sound.recording
            : state === "playing"
              ? t.sound.playingBack
              : null
        }
        failure={state === "failed" ? t.sound.micFailed : null}
        disabled={!microphone.held}
        testId="test-mic"
        onClick={() => void run()}
      />
      {/* biome-ignore lint/a11y/useMediaCaption: one's own voice. */}
      <audio
        ref={ref}
        hidden
        data-testid="echo"
        onEnded={() => end("idle")}
        onError={() => end("failed")}
      />
    </>
  );
}
