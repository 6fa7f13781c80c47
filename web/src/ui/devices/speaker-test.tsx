import { useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { useSink } from "../parts/use-sink.ts";
import { chime } from "./chime.ts";
import { TestButton } from "./test-button.tsx";

/** Plays a short sound on the chosen speaker. */
export function SpeakerTest() {
  const { t } = useI18n();
  const ref = useRef<HTMLAudioElement>(null);
  const [url, setUrl] = useState<string>();
  const [state, setState] = useState<"idle" | "playing" | "failed">("idle");
  useSink(ref);
  useEffect(() => {
    if (url) return () => URL.revokeObjectURL(url);
  }, [url]);

  function play() {
    const audio = ref.current;
    if (!audio) return;
    const source = url ?? URL.createObjectURL(new Blob([chime()], { type: "audio/wav" }));
    setUrl(source);
    setState("playing");
    audio.src = source;
    audio.play().catch(() => setState("failed"));
  }

  return (
    <>
      <TestButton
        icon="speaker"
        label={t.sound.testSpeaker}
        running={state === "playing" ? t.sound.playing : null}
        failure={state === "failed" ? t.sound.speakerFailed : null}
        testId="test-speaker"
        onClick={play}
      />
      {/* biome-ignore lint/a11y/useMediaCaption: a sound without words. */}
      <audio
        ref={ref}
        hidden
        data-testid="test-sound"
        onEnded={() => setState("idle")}
        onError={() => setState("failed")}
      />
    </>
  );
}
