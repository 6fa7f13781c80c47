// Waiting for a condition, never for a time.

/** Calls being set up on a busy two-core machine take their time. */
export const DEADLINE = 60_000;

/** What a look found: `done` ends the wait; `seen` is told when the deadline passes. */
export interface Look<T> {
  done?: T;
  seen?: unknown;
}

/** Looks again and again until a look is done; fails after `deadline` milliseconds, telling what was seen last. */
export async function until<T>(
  what: string,
  look: () => Promise<Look<T>>,
  deadline = DEADLINE,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const { done, seen } = await look();
    if (done !== undefined) return done;
    if (Date.now() > end) {
      throw new Error(
        `waited ${deadline / 1000} s for ${what}; last seen: ${JSON.stringify(seen, null, 1)}`,
      );
    }
    await new Promise((resume) => setTimeout(resume, 150));
  }
}
