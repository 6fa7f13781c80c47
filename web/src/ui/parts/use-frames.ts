import { type RefObject, useEffect, useRef, useState } from "react";
import { type FrameState, type Frames, reduceFrames, startFrames } from "./frames.ts";

const INTERVAL_MS = 500;

/** State of a video that should show frames; `waiting` while it should not. */
export function useFrames(
  ref: RefObject<HTMLVideoElement | null>,
  stream: MediaStream | null,
  isExpected: boolean,
): FrameState {
  const [state, setState] = useState<FrameState>("waiting");
  const frames = useRef<Frames | null>(null);
  useEffect(() => {
    const video = ref.current;
    if (!video || !stream || !isExpected) return;
    frames.current = startFrames(countOf(video), performance.now());
    setState("waiting");
    let isOver = false;
    const read = () => {
      if (isOver || !frames.current) return;
      const now = performance.now();
      const isHidden = document.visibilityState === "hidden";
      frames.current = reduceFrames(frames.current, { count: countOf(video), now, isHidden });
      setState(frames.current.state);
    };
    const timer = setInterval(read, INTERVAL_MS);
    // The first frame is shown at once.
    video.requestVideoFrameCallback?.(read);
    video.addEventListener("loadeddata", read);
    return () => {
      isOver = true;
      clearInterval(timer);
      video.removeEventListener("loadeddata", read);
    };
  }, [ref, stream, isExpected]);
  return isExpected ? state : "waiting";
}

/** Frames so far. Where a browser counts none, time that passes stands for them. */
function countOf(video: HTMLVideoElement): number {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return 0;
  return video.getVideoPlaybackQuality?.().totalVideoFrames || video.currentTime + 1;
}
