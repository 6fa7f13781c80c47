/**
 * Keeps videos playing. A browser may refuse to start one with audio (autoplay policy), and the
 * system may pause all of them at any time, as iOS does for a phone call. A paused video is resumed
 * at once, or when the page becomes visible again, or by a tap.
 */

/** A video paused again within this time after a resume needs a tap: the system insists. */
const REPAUSE_WINDOW_MS = 1_000;

/** The part of `HTMLVideoElement` that is used. */
export type Playable = Pick<
  HTMLVideoElement,
  "play" | "paused" | "muted" | "isConnected" | "addEventListener" | "removeEventListener"
>;

export interface PlaybackOptions {
  isVisible: () => boolean;
  /** Monotonic clock, in milliseconds. */
  now: () => number;
  /** Called when videos begin or cease to need a tap. */
  onBlockedChange: (isBlocked: boolean) => void;
}

export class Playback {
  readonly #options: PlaybackOptions;
  /** All watched videos, with the time at which each was last resumed after a pause. */
  readonly #resumedAt = new Map<Playable, number>();
  /** Videos that need a tap. */
  readonly #blocked = new Set<Playable>();
  /** Videos muted here because the browser only allows muted playback. */
  readonly #forceMuted = new Set<Playable>();

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  /** Keeps a video playing until the returned function is called. */
  watch(video: Playable): () => void {
    const onPause = () => this.#paused(video);
    video.addEventListener("pause", onPause);
    this.#resumedAt.set(video, Number.NEGATIVE_INFINITY);
    this.#play(video);
    return () => {
      video.removeEventListener("pause", onPause);
      this.#resumedAt.delete(video);
      this.#forceMuted.delete(video);
      this.#unblock(video);
    };
  }

  /** Resumes all videos that were paused while the page was hidden. */
  resume(): void {
    for (const video of this.#resumedAt.keys()) if (video.paused) this.#play(video);
  }

  /** Plays all blocked videos with audio. Called from a tap. */
  unlock(): void {
    const blocked = [...this.#blocked];
    for (const video of blocked) {
      this.#unblock(video);
      if (this.#forceMuted.delete(video)) video.muted = false;
      this.#play(video);
    }
    this.resume();
  }

  #play(video: Playable): void {
    void video.play().then(
      // A video that was muted here still needs the tap that restores its audio.
      () => this.#forceMuted.has(video) || this.#unblock(video),
      (error: unknown) => {
        // Replacing the stream aborts `play` with another error; only NotAllowedError needs a tap.
        if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
        if (!this.#resumedAt.has(video) || this.#forceMuted.has(video)) return;
        this.#block(video);
        if (video.muted) return;
        this.#forceMuted.add(video);
        video.muted = true;
        this.#play(video);
      },
    );
  }

  #paused(video: Playable): void {
    // Removing a video pauses it too, and videos of a hidden page wait for `resume`.
    if (!video.paused || !video.isConnected || !this.#options.isVisible()) return;
    const now = this.#options.now();
    const sinceResume = now - (this.#resumedAt.get(video) ?? now);
    if (sinceResume < REPAUSE_WINDOW_MS) {
      this.#block(video);
    } else {
      this.#resumedAt.set(video, now);
      this.#play(video);
    }
  }

  #block(video: Playable): void {
    this.#blocked.add(video);
    this.#options.onBlockedChange(true);
  }

  #unblock(video: Playable): void {
    const wasBlocked = this.#blocked.delete(video);
    if (wasBlocked && this.#blocked.size === 0) this.#options.onBlockedChange(false);
  }
}
