import { type RefObject, useEffect, useRef } from "react";

/** Sets the `srcObject` of a `<video>`, for which React has no attribute. */
export function useStream(stream: MediaStream | null): RefObject<HTMLVideoElement | null> {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video && video.srcObject !== stream) video.srcObject = stream;
  }, [stream]);
  return ref;
}
