// How loud the open microphone is.
import { notify, type Readable } from "../store.ts";

/** How often it is measured, in milliseconds. */
const INTERVAL = 100;

/** What counts as silence on the meter, in dB below full scale. */
const FLOOR = -60;

/** The root mean square of samples: 0 is silence, 1 full scale. */
export function loudness(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  return samples.length === 0 ? 0 : Math.sqrt(sum / samples.length);
}

/** Loudness as an ear and a meter see it: 0 at the floor, 1 at full scale. */
export function onMeter(loud: number): number {
  if (loud <= 0) return 0;
  const decibel = 20 * Math.log10(loud);
  return Math.min(1, Math.max(0, 1 - decibel / FLOOR));
}

/** Measures a track while somebody is subscribed, and costs nothing otherwise. */
export class LevelMeter implements Readable<number> {
  readonly #listeners = new Set<() => void>();
  #track: MediaStreamTrack | null = null;
  #level = 0;
  #stop: (() => void) | null = null;

  /** Where on the meter it is, 0 to 1. */
  getSnapshot = (): number => onMeter(this.#level);

  subscribe = (listener: () => void): (() => void) => {
    const entry = () => listener();
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  /** The loudness last measured, 0 to 1 linear. */
  get linear(): number {
    return this.#level;
  }

  /** Measures another track from now on; null measures silence. */
  listenTo(track: MediaStreamTrack | null): void {
    if (track === this.#track) return;
    this.#end();
    this.#track = track;
    if (this.#listeners.size > 0) this.#start();
  }

  /** Without a meter, or with one that a browser refuses, it stays dark: nothing depends on it. */
  #start(): void {
    if (!this.#track || this.#stop) return;
    try {
      this.#stop = this.#measure(this.#track);
    } catch {
      // Firefox measures no microphone whose sampling rate is not the loudspeaker's (Bluetooth).
    }
  }

  #measure(track: MediaStreamTrack): () => void {
    const context = new AudioContext();
    const close = () => void context.close().catch(() => {});
    try {
      const analyser = context.createAnalyser();
      analyser.fftSize = 1024;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      const timer = setInterval(() => {
        // A browser holds sound back until it trusts the page, iOS while a phone call lasts.
        if (context.state !== "running") void context.resume().catch(() => {});
        analyser.getFloatTimeDomainData(samples);
        this.#measured(track.enabled && !track.muted ? loudness(samples) : 0);
      }, INTERVAL);
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
    this.#measured(0);
  }

  #measured(level: number): void {
    if (level === this.#level) return;
    this.#level = level;
    notify(this.#listeners);
  }
}
