// Audio level of the open microphone.
import { notify, type Readable } from "../store.ts";

const INTERVAL_MS = 100;

/** Level that the meter shows as silence, in dB relative to full scale. */
const SILENCE_DB = -60;

/** Root mean square of samples: 0 is silence, 1 full scale. */
export function rmsOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}

/** Converts a linear level to the logarithmic scale of a meter: 0 is silence, 1 full scale. */
export function meterLevelOf(linear: number): number {
  if (linear <= 0) return 0;
  const decibel = 20 * Math.log10(linear);
  return Math.min(1, Math.max(0, 1 - decibel / SILENCE_DB));
}

/** Measures a track while there is a subscriber, and costs nothing otherwise. */
export class LevelMeter implements Readable<number> {
  readonly #listeners = new Set<() => void>();
  #track: MediaStreamTrack | null = null;
  #level = 0;
  #captured: number | null = null;
  #stop: (() => void) | null = null;

  /** Level on the meter's scale, 0 to 1. */
  getSnapshot = (): number => meterLevelOf(this.#level);

  subscribe = (listener: () => void): (() => void) => {
    const entry = () => listener();
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  /** Linear level, 0 to 1. */
  get linear(): number {
    return this.#level;
  }

  /** Linear level of what the device captures, even while muted; null if it is not measured. */
  get captured(): number | null {
    return this.#captured;
  }

  /** Measures another track; null measures silence. */
  setTrack(track: MediaStreamTrack | null): void {
    if (track === this.#track) return;
    this.#end();
    this.#track = track;
    if (this.#listeners.size > 0) this.#start();
  }

  /** A browser that can't measure leaves the level at 0; nothing depends on it. */
  #start(): void {
    if (!this.#track || this.#stop) return;
    try {
      this.#stop = this.#measure(this.#track);
    } catch {
      // Firefox rejects a microphone whose sampling rate differs from the speaker's (Bluetooth).
    }
  }

  #measure(track: MediaStreamTrack): () => void {
    const context = new AudioContext();
    // A clone, since a muted track delivers silence.
    const own = track.clone();
    own.enabled = true;
    const close = () => {
      own.stop();
      void context.close().catch(() => {});
    };
    try {
      const analyser = context.createAnalyser();
      analyser.fftSize = 1024;
      context.createMediaStreamSource(new MediaStream([own])).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        // Suspended until a user gesture, and on iOS during a phone call.
        const isRunning = context.state === "running";
        if (!isRunning) void context.resume().catch(() => {});
        analyser.getFloatTimeDomainData(samples);
        const captured = track.muted ? 0 : rmsOf(samples);
        this.#captured = isRunning && !track.muted ? captured : null;
        this.#setLevel(track.enabled ? captured : 0);
      }, INTERVAL_MS);
      return () => {
        clearInterval(timer);
        close();
      };
    } catch (error) {
      close();
      throw error;
    }
  }

  #end(): void {
    this.#stop?.();
    this.#stop = null;
    this.#captured = null;
    this.#setLevel(0);
  }

  #setLevel(level: number): void {
    if (level === this.#level) return;
    this.#level = level;
    notify(this.#listeners);
  }
}
