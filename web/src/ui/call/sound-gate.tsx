/** Browsers may hold sound until somebody taps. Videos report here; one tap plays them all. */
import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from "react";

interface Gate {
  /** Some video waits for a tap. */
  isShut: boolean;
  /** Plays a video with its sound; while it may not, its picture alone. */
  play: (video: HTMLVideoElement) => void;
  /** From a tap: plays all that wait. */
  unlock: () => void;
}

const GateContext = createContext<Gate>({ isShut: false, play: () => {}, unlock: () => {} });

export function SoundGate({ children }: { children: ReactNode }) {
  const [isShut, setShut] = useState(false);
  const waiting = useRef(new Set<HTMLVideoElement>());

  const play = useCallback((video: HTMLVideoElement) => {
    void video.play().catch((error: unknown) => {
      // A stream replaced meanwhile aborts the play; only a refusal needs a tap.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      waiting.current.add(video);
      setShut(true);
      video.muted = true;
      void video.play().catch(() => {});
    });
  }, []);

  const unlock = useCallback(() => {
    setShut(false);
    const videos = [...waiting.current];
    waiting.current.clear();
    for (const video of videos) {
      video.muted = false;
      play(video);
    }
  }, [play]);

  const gate = useMemo(() => ({ isShut, play, unlock }), [isShut, play, unlock]);
  return <GateContext value={gate}>{children}</GateContext>;
}

export function useSoundGate(): Gate {
  return use(GateContext);
}
