import { expect, test } from "vitest";
import { dismissVoiceHint, NO_VOICE, reduceVoice, type VoiceWatch } from "./voice.ts";

const INTERVAL_MS = 200;
const SPEECH = 0.1;

/** Measures the same for some time and returns the hints that appeared, by when they did. */
function measure(
  watch: VoiceWatch,
  {
    from,
    seconds,
    captured,
    isOn,
  }: Record<"from" | "seconds", number> & {
    captured: number | null;
    isOn: boolean;
  },
): { watch: VoiceWatch; hints: (string | null)[]; to: number } {
  const hints: (string | null)[] = [];
  let now = from;
  for (; now < from + seconds * 1000; now += INTERVAL_MS) {
    watch = reduceVoice(watch, { now, captured, isOn });
    if (hints.at(-1) !== watch.hint) hints.push(watch.hint);
  }
  return { watch, hints, to: now };
}

test("speech into a muted microphone is told within a second or so, once a minute", () => {
  const muted = { isOn: false, captured: SPEECH };
  expect(measure(NO_VOICE, { ...muted, from: 0, seconds: 0.8 }).hints).toEqual([null]);
  const minute = measure(NO_VOICE, { ...muted, from: 0, seconds: 60 });
  expect(minute.hints).toEqual([null, "muted", null]);
  expect(measure(minute.watch, { ...muted, from: minute.to, seconds: 2 }).hints).toEqual([
    null,
    "muted",
  ]);
});

test("a cough and the noise of a room are no speech", () => {
  const cough = measure(NO_VOICE, { from: 0, seconds: 0.6, captured: SPEECH, isOn: false });
  const rest = { from: cough.to, seconds: 30, captured: 0.01, isOn: false };
  expect(measure(cough.watch, rest).hints).toEqual([null]);
});

test("unmuting ends the hint, and so does dismissing it", () => {
  const { watch } = measure(NO_VOICE, { from: 0, seconds: 2, captured: SPEECH, isOn: false });
  expect(watch.hint).toBe("muted");
  expect(reduceVoice(watch, { now: 2000, captured: SPEECH, isOn: true }).hint).toBeNull();
  const dismissed = dismissVoiceHint(watch);
  expect(
    measure(dismissed, { from: 2000, seconds: 5, captured: SPEECH, isOn: false }).hints,
  ).toEqual([null]);
});

test("ten seconds of digital silence are told; a quiet room is not digital silence", () => {
  const silence = { from: 0, captured: 0, isOn: true };
  expect(measure(NO_VOICE, { ...silence, seconds: 9.8 }).hints).toEqual([null]);
  expect(measure(NO_VOICE, { ...silence, seconds: 11 }).hints).toEqual([null, "silent"]);
  const quiet = { from: 0, seconds: 60, captured: 0.0003, isOn: true };
  expect(measure(NO_VOICE, quiet).hints).toEqual([null]);
});

test("a dismissed silence is told again only after there was sound", () => {
  const { watch } = measure(NO_VOICE, { from: 0, seconds: 11, captured: 0, isOn: true });
  const silence = { from: 11_000, captured: 0, isOn: true };
  const dismissed = dismissVoiceHint(watch);
  expect(measure(dismissed, { ...silence, seconds: 60 }).hints).toEqual([null]);
  const heard = reduceVoice(dismissed, { now: 11_000, captured: 0.01, isOn: true });
  expect(measure(heard, { ...silence, seconds: 11 }).hints).toEqual([null, "silent"]);
});

test("what is not measured says nothing", () => {
  const unmeasured = { from: 0, seconds: 60, captured: null, isOn: true };
  expect(measure(NO_VOICE, unmeasured).hints).toEqual([null]);
});
