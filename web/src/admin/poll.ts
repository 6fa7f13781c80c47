/** Asks again and again, as long as somebody looks. */

/** Time between two questions. */
export const POLL_MS = 4_000;
/** The longest time between two questions while the server does not answer. */
const MAX_POLL_MS = 30_000;

export interface PollOptions<T> {
  /** Asks; null if nothing has changed since the answer with this tag. */
  ask: (tag: string | null) => Promise<{ tag: string | null; value: T } | null>;
  onValue: (value: T) => void;
  /** Called with null once it is answered again. */
  onError: (error: unknown) => void;
  /** True if the page is visible. */
  isVisible: () => boolean;
}

export interface Poll {
  /** Asks at once, as after a change. */
  now(): void;
  /** The page may have become visible or hidden. */
  visibilityChanged(): void;
  stop(): void;
}

/** One question at a time; none while the page is hidden; fewer while nobody answers. */
export function startPoll<T>({ ask, onValue, onError, isVisible }: PollOptions<T>): Poll {
  let tag: string | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  let isWantedAgain = false;
  let isStopped = false;
  let failures = 0;

  const run = async () => {
    timer = undefined;
    if (isStopped || !isVisible()) return;
    if (isAsking) {
      isWantedAgain = true;
      return;
    }
    isAsking = true;
    try {
      const answer = await ask(tag);
      if (isStopped) return;
      if (failures > 0) onError(null);
      failures = 0;
      if (answer) {
        tag = answer.tag;
        onValue(answer.value);
      }
    } catch (error) {
      if (isStopped) return;
      failures += 1;
      onError(error);
    } finally {
      isAsking = false;
    }
    if (isStopped) return;
    const delay = isWantedAgain ? 0 : Math.min(POLL_MS * 2 ** failures, MAX_POLL_MS);
    isWantedAgain = false;
    timer = setTimeout(run, delay);
  };
  const now = () => {
    clearTimeout(timer);
    void run();
  };

  void run();
  return {
    now,
    visibilityChanged: () => {
      if (isVisible() && timer === undefined && !isAsking) now();
      else if (!isVisible()) {
        clearTimeout(timer);
        timer = undefined;
      }
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
