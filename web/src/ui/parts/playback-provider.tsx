/** React context that keeps the page's videos playing, and unblocks all of them by one tap. */
import { createContext, type ReactNode, type RefObject, use, useEffect, useState } from "react";
import { type Playable, Playback } from "./playback.ts";

interface PlaybackControl {
  /** Some video needs a tap. */
  isBlocked: boolean;
  /** Keeps a video playing, muted if the browser allows nothing else. */
  watch: (video: Playable) => () => void;
  /** Plays all blocked videos. Called from a tap. */
  unlock: () => void;
}

const PlaybackContext = createContext<PlaybackControl | null>(null);

export function PlaybackProvider({ children }: { children: ReactNode }) {
  const [isBlocked, setBlocked] = useState(false);
  const [playback] = useState(
    () =>
      new Playback({
        isVisible: () => document.visibilityState === "visible",
        now: () => performance.now(),
        onBlockedChange: setBlocked,
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
    // Browsers differ in which of these events they fire when a page becomes visible again.
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

  // While a video is blocked, a tap anywhere unblocks it.
  useEffect(() => {
    if (!isBlocked) return;
    addEventListener("click", unlock);
    return () => removeEventListener("click", unlock);
  }, [isBlocked, unlock]);

  return <PlaybackContext value={{ isBlocked, watch, unlock }}>{children}</PlaybackContext>;
}

export function usePlayback(): PlaybackControl {
  const playback = use(PlaybackContext);
  if (!playback) throw new Error("usePlayback needs a PlaybackProvider above it");
  return playback;
}

/**
 * Keeps a video playing while it has this stream. Begins again when `isSilenced` changes, so that a
 * tap restores no audio that may not be heard any more.
 */
export function useAutoplay(
  ref: RefObject<HTMLVideoElement | null>,
  stream: MediaStream | null,
  isSilenced = false,
): void {
  const { watch } = usePlayback();
  // biome-ignore lint/correctness/useExhaustiveDependencies: begins again with another `isSilenced`.
  useEffect(() => {
    if (stream && ref.current) return watch(ref.current);
  }, [stream, watch, ref, isSilenced]);
}
