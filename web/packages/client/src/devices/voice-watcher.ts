// Watches the microphone's level while somebody wants to know what it says.
import type { VoiceHint } from "../api.ts";
import { notify, type Readable } from "../store.ts";
import type { LevelMeter } from "./level.ts";
import { dismissVoiceHint, NO_VOICE, reduceVoice, type VoiceWatch } from "./voice.ts";

const INTERVAL_MS = 200;

export interface VoiceConditions {
  /** The microphone is not muted by the person. */
  readonly isOn: () => boolean;
  /** What is said now is not meant for the others. */
  readonly isPaused: () => boolean;
}

/** Measures while there is a subscriber, and costs nothing otherwise. */
export class VoiceWatcher implements Readable<VoiceHint | null> {
  readonly #level: LevelMeter;
  readonly #conditions: VoiceConditions;
  readonly #listeners = new Set<() => void>();
  #watch = NO_VOICE;
  #stop: (() => void) | null = null;

  constructor(level: LevelMeter, conditions: VoiceConditions) {
    this.#level = level;
    this.#conditions = conditions;
  }

  getSnapshot = (): VoiceHint | null => this.#watch.hint;

  subscribe = (listener: () => void): (() => void) => {
    const entry = () => listener();
    this.#listeners.add(entry);
    this.#stop ??= this.#start();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  };

  dismiss = (): void => this.#set(dismissVoiceHint(this.#watch));

  #start(): () => void {
    const stopMeter = this.#level.subscribe(() => {});
    const timer = setInterval(() => this.#measure(), INTERVAL_MS);
    return () => {
      clearInterval(timer);
      stopMeter();
      this.#watch = { ...NO_VOICE, mutedHintAt: this.#watch.mutedHintAt };
    };
  }

  #measure(): void {
    const { isOn, isPaused } = this.#conditions;
    const captured = isPaused() ? null : this.#level.captured;
    const sample = { now: performance.now(), captured, isOn: isOn() };
    this.#set(reduceVoice(this.#watch, sample));
  }

  #set(watch: VoiceWatch): void {
    const before = this.#watch.hint;
    this.#watch = watch;
    if (watch.hint !== before) notify(this.#listeners);
  }
}
