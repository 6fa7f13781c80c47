import type { Participant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";
import { launchTrustingChromium, launchTrustingFirefox } from "../../support/trust.ts";
import { until } from "../../support/until.ts";

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

test("Chromium that trusts our CA talks through our relay alone, over TLS", async ({
  open,
  company,
  server,
}) => {
  const browser = company.bring(await launchTrustingChromium(server));
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const options = { observer, browser, url: `http://localhost:${server.port}` };
  await talkThroughRelay([await open("Ada", options), await open("Grace", options)], "tls");
});

test("Firefox that trusts our CA talks through our relay alone, over TLS", async ({
  open,
  company,
  server,
}) => {
  const browser = company.bring(await launchTrustingChromium(server));
  const firefox = company.bring(await launchTrustingFirefox(server));
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const url = `http://localhost:${server.port}`;
  const ada = await open("Ada", { observer, browser, url });
  const grace = await company.openFirefox("Grace", firefox, observer, url);
  await talkThroughRelay([ada, grace], "tls");
});

test("a browser that does not trust our CA gets no relay over TLS", async ({ open, server }) => {
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const options = { observer, url: `http://localhost:${server.port}` };
  const people = [await open("Ada", options), await open("Grace", options)];
  for (const person of people) await person.enter("relayed");
  const looked = () => {
    const peers = window.observed.peers.map(({ connection, candidates }) => {
      return { gathering: connection.iceGatheringState, candidates };
    });
    return peers.find(({ gathering }) => gathering === "complete");
  };
  for (const person of people) {
    const { candidates } = await until(`${person.name} to have looked for relays`, async () => {
      const done = await person.tab.evaluate(looked);
      return { done, seen: done };
    });
    expect(candidates).toEqual([]);
  }
});
