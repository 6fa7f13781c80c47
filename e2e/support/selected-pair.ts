// The selected candidate pair of a peer connection, as reported by its page.

import { expect } from "@playwright/test";
import type { Participant } from "./participant.ts";
import type { CandidateEnd } from "./report.ts";

export interface SelectedPair {
  local: CandidateEnd;
  remote: CandidateEnd;
}

/** Selected candidate pair of a page's only peer connection. */
export async function selectedPair(person: Participant): Promise<SelectedPair> {
  const { connections } = await person.report();
  expect(connections).toHaveLength(1);
  const selected = connections[0]?.selected;
  if (!selected) throw new Error(`${person.name} has no selected pair`);
  return selected;
}

/**
 * Waits until what `view` shows of the selected pair equals `expected`. A browser uses the first
 * pair that connects, and changes to a better one later: a check over TCP may be answered first.
 */
export async function expectPair<T>(
  person: Participant,
  view: (pair: SelectedPair) => T,
  expected: T,
  timeout = 15_000,
): Promise<void> {
  await expect
    .poll(async () => view(await selectedPair(person)), {
      message: `selected pair of ${person.name}`,
      timeout,
    })
    .toEqual(expected);
}
