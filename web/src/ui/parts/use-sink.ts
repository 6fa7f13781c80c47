import { type RefObject, useEffect } from "react";
import { useClient, useReadable } from "../client-context.ts";

/** Plays an element's sound on the loudspeaker chosen. Every element that makes a sound needs it. */
export function useSink(ref: RefObject<HTMLMediaElement | null>): void {
  const { sink, devices } = useReadable(useClient().media);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was refused may work once others are listed.
  useEffect(() => {
    const element = ref.current;
    if (!element?.setSinkId || element.sinkId === sink) return;
    // Not allowed, or gone: the system's own plays on.
    element.setSinkId(sink).catch(() => element.setSinkId("").catch(() => {}));
  }, [sink, devices.speaker, ref]);
}
