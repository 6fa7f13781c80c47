import type { Participant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

async function talkThroughRelay(people: Participant[], relayProtocol: string): Promise<void> {
  for (const person of people) await person.enter("relayed");
  for (const person of people) await person.decodes(1);
  for (const person of people) {
    const { connections } = await person.report();
    const ways = connections.map(({ selected }) => selected?.local);
    expect(ways).toMatchObject([{ type: "relay", relayProtocol }]);
  }
}

for (const transport of ["udp", "tcp"] as const) {
  test(`two people talk through our relay alone, over ${transport.toUpperCase()}`, async ({
    open,
  }) => {
    const observer = { ice: [`turn-${transport}` as const], relayOnly: true };
    const people = [await open("Ada", { observer }), await open("Grace", { observer })];
    await talkThroughRelay(people, transport);
  });
}

for (const transport of ["udp", "tcp"] as const) {
  test(`Firefox talks through our relay alone, over ${transport.toUpperCase()}`, async ({
    open,
    company,
    firefox,
  }) => {
    const observer = { ice: [`turn-${transport}` as const], relayOnly: true };
    const ada = await open("Ada", { observer });
    const grace = await company.openFirefox("Grace", firefox, observer);
    await talkThroughRelay([ada, grace], transport);
  });
}
