// Topology and peer connections of a call, as reported by the pages.

import type { Participant } from "./participant.ts";
import { DEADLINE, until } from "./until.ts";

/** Waits until the page shows this topology. */
export async function waitForTopology(
  person: Participant,
  topology: "mesh" | "sfu",
): Promise<void> {
  const inPage = () =>
    document.querySelector("[data-testid=topology]")?.getAttribute("data-topology") ?? "none";
  await until(`${person.name} to switch to ${topology}`, async () => {
    const seen = await person.tab.evaluate(inPage);
    return { done: seen === topology || undefined, seen };
  });
}

/** Waits for this number of peer connections: one with the media server, in a mesh one per peer. */
export async function waitForConnections(
  person: Participant,
  count: number,
  deadline = DEADLINE,
): Promise<void> {
  await until(
    `${person.name} to have ${count} connections`,
    async () => {
      const { connections } = await person.report();
      const seen = connections.map(({ state, inbound }) => ({ state, inbound: inbound.length }));
      return { done: connections.length === count || undefined, seen };
    },
    deadline,
  );
}

/** Waits until all participants decode each other, each over one connection to the media server. */
export async function waitForSfuCall(people: Participant[]): Promise<void> {
  for (const person of people) await waitForTopology(person, "sfu");
  for (const person of people) await person.decodes(people.length - 1);
  for (const person of people) await waitForConnections(person, 1);
  // Still decoding after the mesh connections are closed.
  for (const person of people) await person.decodes(people.length - 1);
}
