import { type RefObject, useEffect, useRef } from "react";

/** Puts a stream into a `<video>`: React has no attribute for it. */
export function useStream(stream: MediaStream | null): RefObject<HTMLVideoElement | null> {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video && video.srcObject !== stream) video.srcObject = stream;
  }, [stream]);
  return ref;
}
