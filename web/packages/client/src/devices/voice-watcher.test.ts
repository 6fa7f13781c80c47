import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LevelMeter } from "./level.ts";
import { VoiceWatcher } from "./voice-watcher.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what is said for a test of the microphone is not told as speech while muted", () => {
  const level = { captured: 0.1, subscribe: () => () => {} } as unknown as LevelMeter;
  let isPaused = true;
  const voice = new VoiceWatcher(level, { isOn: () => false, isPaused: () => isPaused });
  const stop = voice.subscribe(() => {});
  vi.advanceTimersByTime(3000);
  expect(voice.getSnapshot()).toBeNull();
  isPaused = false;
  vi.advanceTimersByTime(3000);
  expect(voice.getSnapshot()).toBe("muted");
  stop();
});
