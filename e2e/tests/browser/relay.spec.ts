import type { Participant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";
import { launchTrustingChromium, launchTrustingFirefox } from "../../support/trust.ts";
import { until } from "../../support/until.ts";

async function connectThroughTurn(people: Participant[], relayProtocol: string): Promise<void> {
  for (const person of people) await person.enter("relayed");
  for (const person of people) await person.decodes(1);
  for (const person of people) {
    const { connections } = await person.report();
    const candidates = connections.map(({ selected }) => selected?.local);
    expect(candidates).toMatchObject([{ type: "relay", relayProtocol }]);
  }
}

for (const transport of ["udp", "tcp"] as const) {
  test(`two people connect only through our TURN server, over ${transport.toUpperCase()}`, async ({
    open,
  }) => {
    const observer = { ice: [`turn-${transport}` as const], relayOnly: true };
    const people = [await open("Ada", { observer }), await open("Grace", { observer })];
    await connectThroughTurn(people, transport);
  });
}

for (const transport of ["udp", "tcp"] as const) {
  test(`Firefox connects only through our TURN server, over ${transport.toUpperCase()}`, async ({
    open,
    pool,
    firefox,
  }) => {
    const observer = { ice: [`turn-${transport}` as const], relayOnly: true };
    const ada = await open("Ada", { observer });
    const grace = await pool.openFirefox("Grace", firefox, observer);
    await connectThroughTurn([ada, grace], transport);
  });
}

test("Chromium that trusts our CA connects only through our TURN server, over TLS", async ({
  open,
  pool,
  server,
}) => {
  const browser = pool.closeAtEnd(await launchTrustingChromium(server));
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const options = { observer, browser, url: `http://localhost:${server.port}` };
  await connectThroughTurn([await open("Ada", options), await open("Grace", options)], "tls");
});

test("Firefox that trusts our CA connects only through our TURN server, over TLS", async ({
  open,
  pool,
  server,
}) => {
  const browser = pool.closeAtEnd(await launchTrustingChromium(server));
  const firefox = pool.closeAtEnd(await launchTrustingFirefox(server));
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const url = `http://localhost:${server.port}`;
  const ada = await open("Ada", { observer, browser, url });
  const grace = await pool.openFirefox("Grace", firefox, observer, url);
  await connectThroughTurn([ada, grace], "tls");
});

test("a browser that does not trust our CA gets no relay candidate over TLS", async ({
  open,
  server,
}) => {
  const observer = { ice: ["turn-tls" as const], relayOnly: true };
  const options = { observer, url: `http://localhost:${server.port}` };
  const people = [await open("Ada", options), await open("Grace", options)];
  for (const person of people) await person.enter("relayed");
  const gathered = () => {
    const peers = window.observed.peers.map(({ connection, candidates }) => {
      return { gathering: connection.iceGatheringState, candidates };
    });
    return peers.find(({ gathering }) => gathering === "complete");
  };
  for (const person of people) {
    const { candidates } = await until(`${person.name} to gather candidates`, async () => {
      const done = await person.tab.evaluate(gathered);
      return { done, seen: done };
    });
    expect(candidates).toEqual([]);
  }
});
