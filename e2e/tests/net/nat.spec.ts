// Two participants behind symmetric NATs, which can only connect through our TURN server.

import { waitForCall } from "../../net/path.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";
import { selectedPair } from "../../support/selected-pair.ts";
import { until } from "../../support/until.ts";

requireNetworks();

test("symmetric NATs connect through our TURN server over UDP", async ({ meet }) => {
  const people = await meet(["stun", "turn-udp"]);
  await waitForCall(people);
  for (const person of people) {
    const { local, remote } = await selectedPair(person);
    expect([local.type, remote.type]).toContain("relay");
    if (local.type === "relay") expect(local.relayProtocol).toBe("udp");
  }
});

test("symmetric NATs connect through the TURN servers that the server announces", async ({
  meet,
}) => {
  const people = await meet();
  await waitForCall(people);
  for (const person of people) {
    const { local, remote } = await selectedPair(person);
    expect([local.type, remote.type]).toContain("relay");
  }
});

test("clients connect with UDP dropped at both sites", async ({ meet, network }) => {
  for (const site of [network.world.a, network.world.b]) site.dropUdp(true);
  const people = await meet();
  await waitForCall(people);
  for (const person of people) {
    const { local } = await selectedPair(person);
    expect(local.type).toBe("relay");
    expect(["tcp", "tls"]).toContain(local.relayProtocol);
  }
});

test("clients connect with UDP dropped at one site", async ({ meet, network }) => {
  network.world.a.dropUdp(true);
  const people = await meet();
  await waitForCall(people);
  const { local } = await selectedPair(people[0]);
  expect(local.type).toBe("relay");
  expect(["tcp", "tls"]).toContain(local.relayProtocol);
});

for (const transport of ["tcp", "tls"] as const) {
  test(`clients connect with UDP dropped, over ${transport.toUpperCase()} alone`, async ({
    meet,
    network,
  }) => {
    for (const site of [network.world.a, network.world.b]) site.dropUdp(true);
    const people = await meet(["stun", `turn-${transport}`]);
    await waitForCall(people);
    for (const person of people) {
      const { local } = await selectedPair(person);
      expect(local.type).toBe("relay");
      expect(local.relayProtocol).toBe(transport);
    }
  });
}

test("symmetric NATs fail to connect without TURN", async ({ meet, network }) => {
  const people = await meet(["stun"]);
  for (const [index, person] of people.entries()) {
    const { states, candidates } = await until(`${person.name} to fail`, async () => {
      const [seen] = (await person.report()).connections;
      return { done: seen?.states.includes("failed") ? seen : undefined, seen };
    });
    expect(states).not.toContain("connected");
    // STUN works, so the failure is caused by the NATs.
    const site = [network.world.a, network.world.b][index]!;
    expect(candidates.filter((candidate) => candidate.includes(` ${site.address} `))).not.toEqual(
      [],
    );
    for (const tile of await person.remoteTiles(1)) expect(tile.connection).not.toBe("connected");
  }
});

test("a page requested over plain HTTP redirects to HTTPS, a secure context", async ({
  pool,
  network,
}) => {
  const person = await pool.open("Ada", {
    browser: network.browsers[0],
    context: { ignoreHTTPSErrors: true },
  });
  await person.tab.goto(person.url.replace("https:", "http:"));
  await expect(person.page).toHaveURL(/^https:/);
  expect(await person.page.evaluate(() => window.isSecureContext)).toBe(true);
});
