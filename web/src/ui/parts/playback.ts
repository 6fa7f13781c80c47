/**
 * Keeps videos playing. A browser may refuse to begin one with sound, and the system may pause all
 * of them at any time: a phone call does on iOS. So a video is watched for as long as it is shown:
 * one that was paused is played again at once, or when the page is visible again, or by one tap.
 */

/** Paused again so soon after it was played again: the system insists, and only a tap may prevail. */
const INSISTS_MS = 1_000;

/** What of a `<video>` is used. */
export type Playable = Pick<
  HTMLVideoElement,
  "play" | "paused" | "muted" | "isConnected" | "addEventListener" | "removeEventListener"
>;

export interface PlaybackOptions {
  isVisible: () => boolean;
  /** Milliseconds of a clock that only rises. */
  now: () => number;
  /** Whether a tap is needed has changed. */
  changed: (isBlocked: boolean) => void;
}

export class Playback {
  readonly #options: PlaybackOptions;
  /** When each was last played after a pause; one for each tile, screen and mirror on the page. */
  readonly #replayed = new Map<Playable, number>();
  /** Those that wait for a tap. */
  readonly #blocked = new Set<Playable>();
  /** Those muted here, so that at least their picture plays. */
  readonly #silenced = new Set<Playable>();

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  /** Plays a video from now on, until the returned function is called. */
  watch(video: Playable): () => void {
    const onPause = () => this.#paused(video);
    video.addEventListener("pause", onPause);
    this.#replayed.set(video, Number.NEGATIVE_INFINITY);
    this.#play(video);
    return () => {
      video.removeEventListener("pause", onPause);
      this.#replayed.delete(video);
      this.#silenced.delete(video);
      this.#unblock(video);
    };
  }

  /** The page is visible again: plays all that were paused meanwhile. */
  resume(): void {
    for (const video of this.#replayed.keys()) if (video.paused) this.#play(video);
  }

  /** From a tap: plays all that wait, with their sound. */
  unlock(): void {
    const blocked = [...this.#blocked];
    for (const video of blocked) {
      this.#unblock(video);
      if (this.#silenced.delete(video)) video.muted = false;
      this.#play(video);
    }
    this.resume();
  }

  #play(video: Playable): void {
    void video.play().then(
      // One that is silenced still waits for the tap that brings its sound.
      () => this.#silenced.has(video) || this.#unblock(video),
      (error: unknown) => {
        // A stream replaced meanwhile aborts the play; only a refusal needs a tap.
        if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
        if (!this.#replayed.has(video) || this.#silenced.has(video)) return;
        this.#block(video);
        if (video.muted) return;
        this.#silenced.add(video);
        video.muted = true;
        this.#play(video);
      },
    );
  }

  #paused(video: Playable): void {
    // A removed one pauses too, and one that is hidden waits for `resume`.
    if (!video.paused || !video.isConnected || !this.#options.isVisible()) return;
    const now = this.#options.now();
    const since = now - (this.#replayed.get(video) ?? now);
    if (since < INSISTS_MS) {
      this.#block(video);
    } else {
      this.#replayed.set(video, now);
      this.#play(video);
    }
  }

  #block(video: Playable): void {
    this.#blocked.add(video);
    this.#options.changed(true);
  }

  #unblock(video: Playable): void {
    if (this.#blocked.delete(video) && this.#blocked.size === 0) this.#options.changed(false);
  }
}
