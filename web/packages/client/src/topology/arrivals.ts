// Detects whether a track delivers media. Sections are reused for other participants and their
// counters continue, so only growth since the first measurement counts.
import type { ParticipantId } from "../protocol.ts";
import type { Counters } from "../rtc/counters.ts";
import type { Source } from "../rtc/source.ts";

/** Poll interval, and the interval once polling takes long. */
const POLL_MS = 100;
const SLOW_POLL_MS = 500;
const SLOW_POLL_AFTER_MS = 10_000;

/** A microphone without packets for this long counts as silent. */
const SILENCE_MS = 2_000;

/**
 * Duration of continuous frames after which a camera counts as arrived. On a busy machine the
 * frames after the first one were seen to take seconds.
 */
const STEADY_MS = 1_000;

/** A gap in the frames of this length ends a continuous run. */
const STALL_MS = 700;

/**
 * A track without anything for this long may be of a link that is dead: whatever follows it is
 * better. Browsers send audio without sound, too.
 */
const DEAD_MS = 400;

/** Longest wait for a camera that delivers only a frame now and then. */
const MAX_CAMERA_WAIT_MS = 6_000;

/** Progress of one track; times in milliseconds of `performance.now()`. */
interface Arrival {
  readonly firstCount: number;
  readonly firstAt: number;
  readonly count: number;
  /** Last growth of the count. */
  readonly grewAt: number;
  /** Start of the current continuous run; null while stalled. */
  readonly steadySince: number | null;
}

interface Growth {
  readonly count: number;
  readonly at: number;
}

export interface ArrivalsOptions {
  /** Reads the counters of every track. */
  count: () => Promise<Counters>;
  /** New counters are available. */
  onPoll: () => void;
}

/** Polls while media is awaited, and costs nothing otherwise. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #arrivals = new Map<MediaStreamTrack, Map<ParticipantId, Arrival>>();
  /** Last growth of each track's count since polling began. */
  readonly #growth = new Map<MediaStreamTrack, Growth>();
  #counters: Counters = new Map();
  #pollingSince: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /**
   * The track has delivered enough to switch to it: a continuous run of frames of a camera,
   * anything of another source. The publisher distinguishes successive uses of a section.
   */
  hasArrived(track: MediaStreamTrack, publisher: ParticipantId, source: Source): boolean {
    const count = this.#counters.get(track);
    if (count === undefined) return false;
    const publishers = this.#arrivals.get(track) ?? new Map<ParticipantId, Arrival>();
    const now = performance.now();
    const arrival = reduceArrival(publishers.get(publisher), count, now);
    this.#arrivals.set(track, publishers.set(publisher, arrival));
    const { steadySince, firstAt, grewAt } = arrival;
    const hasGrown = count > arrival.firstCount;
    if (source === "microphone") return hasGrown || now - firstAt > SILENCE_MS;
    if (source !== "camera") return hasGrown;
    if (steadySince === null) return false;
    const isOverdue = now - firstAt >= MAX_CAMERA_WAIT_MS && grewAt === now;
    return now - steadySince >= STEADY_MS || isOverdue;
  }

  /**
   * The track has delivered at least something, and may follow one that delivers nothing any more.
   */
  canFollow(
    track: MediaStreamTrack,
    publisher: ParticipantId,
    source: Source,
    former: MediaStreamTrack,
  ): boolean {
    if (this.hasArrived(track, publisher, source)) return true;
    const arrival = this.#arrivals.get(track)?.get(publisher);
    const growth = this.#growth.get(former);
    if (!arrival || !growth) return false;
    return arrival.count > arrival.firstCount && performance.now() - growth.at > DEAD_MS;
  }

  pollWhile(isAwaited: boolean): void {
    if (!isAwaited) {
      clearTimeout(this.#timer);
      this.#pollingSince = null;
      this.#arrivals.clear();
      this.#growth.clear();
      this.#counters = new Map();
    } else if (this.#pollingSince === null) {
      this.#pollingSince = performance.now();
      void this.#poll(this.#pollingSince);
    }
  }

  async #poll(since: number): Promise<void> {
    const counters = await this.#options.count();
    if (this.#pollingSince !== since) return;
    this.#counters = counters;
    const now = performance.now();
    for (const [track, count] of counters) {
      if (this.#growth.get(track)?.count !== count) this.#growth.set(track, { count, at: now });
    }
    this.#options.onPoll();
    if (this.#pollingSince !== since) return;
    const interval = performance.now() - since > SLOW_POLL_AFTER_MS ? SLOW_POLL_MS : POLL_MS;
    this.#timer = setTimeout(() => void this.#poll(since), interval);
  }
}

function reduceArrival(before: Arrival | undefined, count: number, now: number): Arrival {
  if (!before) {
    return { firstCount: count, firstAt: now, count, grewAt: now, steadySince: null };
  }
  const isStalled = now - before.grewAt > STALL_MS;
  if (count > before.count) {
    const steadySince = isStalled ? now : (before.steadySince ?? now);
    return { ...before, count, grewAt: now, steadySince };
  }
  return isStalled ? { ...before, steadySince: null } : before;
}
