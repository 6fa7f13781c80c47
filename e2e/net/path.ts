// Network path between two participants, as reported by their browsers.

import type { Participant } from "../support/participant.ts";

export async function waitForCall(people: Participant[]): Promise<void> {
  for (const person of people) await person.decodes(1);
}
