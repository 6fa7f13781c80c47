/** Meaning of the stored preferences of sound. */
import type { SoundProcessing } from "moim-client";
import type { Preference } from "../preferences.ts";

export const NOISE_CHOICES: readonly Preference<"noise">[] = ["off", "browser", "strong"];

/** Processing of the microphone by the stored preferences. */
export function soundProcessingOf(stored: {
  noise: Preference<"noise"> | undefined;
  autoGain: Preference<"autoGain"> | undefined;
  music: Preference<"music"> | undefined;
}): SoundProcessing {
  return {
    noise: stored.noise ?? "browser",
    autoGain: stored.autoGain !== "off",
    isMusic: stored.music === "on",
  };
}
