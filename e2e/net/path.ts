// How media travels between two people, as their browsers tell.

import { expect } from "@playwright/test";
import type { Participant } from "../support/participant.ts";
import type { CandidateEnd } from "../support/report.ts";

export async function talk(people: Participant[]): Promise<void> {
  for (const person of people) await person.decodes(1);
}

/** The two ends of the way that media takes just now. */
export async function path(
  person: Participant,
): Promise<{ local: CandidateEnd; remote: CandidateEnd }> {
  const { connections } = await person.report();
  expect(connections).toHaveLength(1);
  const selected = connections[0]?.selected;
  if (!selected) throw new Error(`${person.name} has no selected pair`);
  return selected;
}
