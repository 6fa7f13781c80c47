// Two people, each behind a symmetric NAT of their own: they can only meet through our relay.

import { path, talk } from "../../net/path.ts";
import { needNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";
import { until } from "../../support/until.ts";

needNetworks();

test("connect through our relay over UDP", async ({ meet }) => {
  const people = await meet(["stun", "turn-udp"]);
  await talk(people);
  for (const person of people) {
    const { local, remote } = await path(person);
    expect([local.type, remote.type]).toContain("relay");
    if (local.type === "relay") expect(local.relayProtocol).toBe("udp");
  }
});

test("connect through our relay as the server announces it", async ({ meet }) => {
  const people = await meet();
  await talk(people);
  for (const person of people) {
    const { local, remote } = await path(person);
    expect([local.type, remote.type]).toContain("relay");
  }
});

test("connect with UDP dropped at both", async ({ meet, network }) => {
  for (const site of [network.world.a, network.world.b]) site.dropUdp(true);
  const people = await meet();
  await talk(people);
  for (const person of people) {
    const { local } = await path(person);
    expect(local.type).toBe("relay");
    expect(["tcp", "tls"]).toContain(local.relayProtocol);
  }
});

test("connect with UDP dropped at one", async ({ meet, network }) => {
  network.world.a.dropUdp(true);
  const people = await meet();
  await talk(people);
  const { local } = await path(people[0]);
  expect(local.type).toBe("relay");
  expect(["tcp", "tls"]).toContain(local.relayProtocol);
});

for (const transport of ["tcp", "tls"] as const) {
  test(`connect with UDP dropped, over ${transport.toUpperCase()} alone`, async ({
    meet,
    network,
  }) => {
    for (const site of [network.world.a, network.world.b]) site.dropUdp(true);
    const people = await meet(["stun", `turn-${transport}`]);
    await talk(people);
    for (const person of people) {
      const { local } = await path(person);
      expect(local.type).toBe("relay");
      expect(local.relayProtocol).toBe(transport);
    }
  });
}

test("fail without TURN, so that the tests above can fail", async ({ meet, network }) => {
  const people = await meet(["stun"]);
  for (const [index, person] of people.entries()) {
    const { states, candidates } = await until(`${person.name} to fail`, async () => {
      const [seen] = (await person.report()).connections;
      return { done: seen?.states.includes("failed") ? seen : undefined, seen };
    });
    expect(states).not.toContain("connected");
    // STUN answered: it is the NATs that keep them apart.
    const site = [network.world.a, network.world.b][index]!;
    expect(candidates.filter((candidate) => candidate.includes(` ${site.address} `))).not.toEqual(
      [],
    );
    for (const tile of await person.others(1)) expect(tile.connection).not.toBe("connected");
  }
});

test("a page asked for in plain HTTP comes by HTTPS, where cameras are allowed", async ({
  company,
  network,
}) => {
  const person = await company.open("Ada", {
    browser: network.browsers[0],
    context: { ignoreHTTPSErrors: true },
  });
  await person.tab.goto(person.url.replace("https:", "http:"));
  await expect(person.page).toHaveURL(/^https:/);
  expect(await person.page.evaluate(() => window.isSecureContext)).toBe(true);
});
