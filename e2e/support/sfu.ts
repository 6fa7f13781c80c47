// A room whose media goes by the media server, as its people's pages tell.

import type { ChromiumParticipant, Participant } from "./participant.ts";
import { DEADLINE, until } from "./until.ts";

/** Waits until the page says by which topology media travels. */
export async function hasTopology(person: Participant, topology: "mesh" | "sfu"): Promise<void> {
  const inPage = () =>
    document.querySelector("[data-testid=topology]")?.getAttribute("data-topology") ?? "none";
  await until(`${person.name} to be told of ${topology}`, async () => {
    const seen = await person.tab.evaluate(inPage);
    return { done: seen === topology || undefined, seen };
  });
}

/** Waits until the page has exactly so many connections: at the media server one, in a mesh one to each. */
export async function hasConnections(
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

/** Everybody sees and hears everybody else, over the one connection to the media server. */
export async function meetAtServer(people: Participant[]): Promise<void> {
  for (const person of people) await hasTopology(person, "sfu");
  for (const person of people) await person.decodes(people.length - 1);
  for (const person of people) await hasConnections(person, 1);
  // Still so without the links of before.
  for (const person of people) await person.decodes(people.length - 1);
}

/** The way that media takes over the one connection. */
export async function wayOf(person: ChromiumParticipant) {
  const { connections } = await person.report();
  const selected = connections[0]?.selected;
  if (!selected) throw new Error(`${person.name} has no selected pair`);
  return selected;
}
