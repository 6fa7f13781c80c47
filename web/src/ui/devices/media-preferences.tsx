import type { TrackFilter } from "moim-client";
import { useEffect } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { usePreference } from "../use-preference.ts";
import { isGraphicsSlow } from "./background.ts";
import { soundProcessingOf } from "./sound-processing.ts";

/** Applies the stored preferences to the devices, now and after each change. */
export function MediaPreferences() {
  const { media } = useClient();
  const [noise] = usePreference("noise");
  const [autoGain] = usePreference("autoGain");
  const [music] = usePreference("music");
  useEffect(() => {
    void media.setProcessing(soundProcessingOf({ noise, autoGain, music }));
  }, [media, noise, autoGain, music]);
  const isStrong = noise === "strong" && music !== "on";
  useEffect(() => {
    if (!isStrong) return;
    const filter: TrackFilter = async (input) => {
      const { strongNoiseFilter } = await import("./strong-noise.ts");
      return await strongNoiseFilter(input);
    };
    media.setMicrophoneFilter(filter);
    return () => media.setMicrophoneFilter(null);
  }, [media, isStrong]);
  const [background = "none"] = usePreference("background");
  const avoidsGraphics = useReadable(isGraphicsSlow);
  // A filter that goes by the flag is another one when it has changed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (background === "none") return;
    const filter: TrackFilter = async (input) => {
      const { backgroundFilter } = await import("./background-filter.ts");
      return await backgroundFilter(background)(input);
    };
    media.setCameraFilter(filter);
    return () => media.setCameraFilter(null);
  }, [media, background, avoidsGraphics]);
  return null;
}
