/** Browsers may hold sound until somebody taps, or pause it. Videos are watched here; one tap plays them all. */
import { createContext, type ReactNode, type RefObject, use, useEffect, useState } from "react";
import { type Playable, Playback } from "../parts/playback.ts";

interface Gate {
  /** Some video waits for a tap. */
  isShut: boolean;
  /** Keeps a video playing with its sound; while it may not, its picture alone. */
  watch: (video: Playable) => () => void;
  /** From a tap: plays all that wait. */
  unlock: () => void;
}

const GateContext = createContext<Gate | null>(null);

export function SoundGate({ children }: { children: ReactNode }) {
  const [isShut, setShut] = useState(false);
  const [playback] = useState(
    () =>
      new Playback({
        isVisible: () => document.visibilityState === "visible",
        now: () => performance.now(),
        changed: setShut,
      }),
  );
  const [{ watch, unlock }] = useState(() => ({
    watch: (video: Playable) => playback.watch(video),
    unlock: () => playback.unlock(),
  }));

  useEffect(() => {
    const resume = () => {
      if (document.visibilityState === "visible") playback.resume();
    };
    // A page that comes back is told of by one of these, and not by every browser by the same.
    document.addEventListener("visibilitychange", resume);
    document.addEventListener("resume", resume);
    addEventListener("pageshow", resume);
    addEventListener("focus", resume);
    return () => {
      document.removeEventListener("visibilitychange", resume);
      document.removeEventListener("resume", resume);
      removeEventListener("pageshow", resume);
      removeEventListener("focus", resume);
    };
  }, [playback]);

  // While something waits, any tap will do.
  useEffect(() => {
    if (!isShut) return;
    addEventListener("click", unlock);
    return () => removeEventListener("click", unlock);
  }, [isShut, unlock]);

  return <GateContext value={{ isShut, watch, unlock }}>{children}</GateContext>;
}

export function useSoundGate(): Gate {
  const gate = use(GateContext);
  if (!gate) throw new Error("useSoundGate needs a SoundGate above it");
  return gate;
}

/** Keeps a video playing for as long as it has this stream. */
export function usePlaying(
  ref: RefObject<HTMLVideoElement | null>,
  stream: MediaStream | null,
): void {
  const { watch } = useSoundGate();
  useEffect(() => {
    if (stream && ref.current) return watch(ref.current);
  }, [stream, watch, ref]);
}
