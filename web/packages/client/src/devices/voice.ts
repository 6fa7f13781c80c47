// Hints from the microphone's level: that the user speaks while muted, or that nothing
// arrives from a microphone that is on.
import type { VoiceHint } from "../api.ts";

/** Linear level, 0 to 1, above which audio counts as speech. */
const SPEECH_LEVEL = 0.02;
/** Linear level below which audio counts as digital silence: less than one step of 16 bits. */
const DIGITAL_SILENCE = 1e-5;

/** Measurements with speech, minus half of those without, after which a muted person is told. */
const SPEECH_SAMPLES = 5;
/** Least time between two hints about a muted microphone. */
const MUTED_HINT_INTERVAL_MS = 60_000;
/** Time for which a hint about a muted microphone is shown. */
const MUTED_HINT_MS = 12_000;
/** Time of digital silence after which a microphone counts as silent. */
const SILENT_AFTER_MS = 10_000;

export interface VoiceSample {
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** Linear level of what the device captures, muted or not; null if it is not measured. */
  readonly captured: number | null;
  /** Not muted by the person. */
  readonly isOn: boolean;
}

export interface VoiceWatch {
  readonly hint: VoiceHint | null;
  /** Recent speech into a muted microphone, in measurements. */
  readonly speech: number;
  /** Start of the current digital silence. */
  readonly silentSince: number | null;
  /** The person dismissed the hint about this silence. */
  readonly isSilenceDismissed: boolean;
  /** Last time that a hint about a muted microphone appeared. */
  readonly mutedHintAt: number;
}

export const NO_VOICE: VoiceWatch = {
  hint: null,
  speech: 0,
  silentSince: null,
  isSilenceDismissed: false,
  mutedHintAt: Number.NEGATIVE_INFINITY,
};

/** Adds a measurement. One that could not be made ends every hint: it says nothing. */
export function reduceVoice(watch: VoiceWatch, { now, captured, isOn }: VoiceSample): VoiceWatch {
  if (captured === null) return { ...NO_VOICE, mutedHintAt: watch.mutedHintAt };
  return isOn ? reduceOpen(watch, captured, now) : reduceMuted(watch, captured, now);
}

/** The hint is dismissed: it returns with the next occasion. */
export function dismissVoiceHint(watch: VoiceWatch): VoiceWatch {
  const isSilenceDismissed = watch.isSilenceDismissed || watch.hint === "silent";
  return { ...watch, hint: null, speech: 0, isSilenceDismissed };
}

function reduceOpen(watch: VoiceWatch, captured: number, now: number): VoiceWatch {
  if (captured > DIGITAL_SILENCE) return { ...NO_VOICE, mutedHintAt: watch.mutedHintAt };
  const silentSince = watch.silentSince ?? now;
  const isLong = now - silentSince >= SILENT_AFTER_MS;
  const hint = isLong && !watch.isSilenceDismissed ? "silent" : null;
  return { ...watch, hint, speech: 0, silentSince };
}

function reduceMuted(watch: VoiceWatch, captured: number, now: number): VoiceWatch {
  const speech = Math.max(0, watch.speech + (captured > SPEECH_LEVEL ? 1 : -0.5));
  const next = { ...watch, speech, silentSince: null, isSilenceDismissed: false };
  const age = now - watch.mutedHintAt;
  if (speech >= SPEECH_SAMPLES && age >= MUTED_HINT_INTERVAL_MS) {
    return { ...next, hint: "muted", mutedHintAt: now };
  }
  return { ...next, hint: watch.hint === "muted" && age < MUTED_HINT_MS ? "muted" : null };
}
