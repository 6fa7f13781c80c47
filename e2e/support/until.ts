// Waiting for a condition, never for a fixed time.

/** Default deadline (ms), generous enough to set up calls on a busy two-core machine. */
export const DEADLINE = 60_000;

const POLL_INTERVAL_MS = 150;

/** Result of a poll: `done` ends the wait, `seen` is reported if the deadline passes. */
export interface Poll<T> {
  done?: T;
  seen?: unknown;
}

/** Polls until `done` is set. After `deadline` milliseconds it fails with the last `seen`. */
export async function until<T>(
  what: string,
  poll: () => Promise<Poll<T>>,
  deadline = DEADLINE,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const { done, seen } = await poll();
    if (done !== undefined) return done;
    if (Date.now() > end) {
      throw new Error(
        `waited ${deadline / 1000} s for ${what}; last seen: ${JSON.stringify(seen, null, 1)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}
