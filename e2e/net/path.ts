// Network path between two participants, as reported by their browsers.

import { expect } from "@playwright/test";
import type { Participant } from "../support/participant.ts";
import type { CandidateEnd } from "../support/report.ts";

export async function waitForCall(people: Participant[]): Promise<void> {
  for (const person of people) await person.decodes(1);
}

/** Selected candidate pair of a page's only peer connection. */
export async function selectedPair(
  person: Participant,
): Promise<{ local: CandidateEnd; remote: CandidateEnd }> {
  const { connections } = await person.report();
  expect(connections).toHaveLength(1);
  const selected = connections[0]?.selected;
  if (!selected) throw new Error(`${person.name} has no selected pair`);
  return selected;
}
