import { type RefObject, useEffect } from "react";
import { useClient, useReadable } from "../client-context.ts";

/** Routes an element's audio to the selected output device. All elements with audio need it. */
export function useSink(ref: RefObject<HTMLMediaElement | null>): void {
  const { sink, devices } = useReadable(useClient().media);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a failed change may succeed once more devices are listed.
  useEffect(() => {
    const element = ref.current;
    if (!element?.setSinkId || element.sinkId === sink) return;
    // Not allowed or unplugged: falls back to the system default.
    element.setSinkId(sink).catch(() => element.setSinkId("").catch(() => {}));
  }, [sink, devices.speaker, ref]);
}
