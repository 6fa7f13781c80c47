import { type RefObject, useEffect } from "react";

/** Sets the volume of an element, from 0 to 1. iOS leaves it to its buttons. */
export function useVolume(ref: RefObject<HTMLMediaElement | null>, volume: number): void {
  useEffect(() => {
    if (ref.current) ref.current.volume = volume;
  }, [ref, volume]);
}
