// Tests of the emulated networks on which other tests rely.

import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "@playwright/test";
import { requireNetworks } from "../../net/requirements.ts";
import { UdpAgent } from "../../net/udp-agent.ts";
import { type LinkKind, type NatKind, World } from "../../net/world.ts";

requireNetworks();

async function inWorld(
  nat: NatKind,
  run: (world: World, agents: UdpAgent[]) => Promise<void>,
  links: LinkKind = "plain",
): Promise<void> {
  const world = await World.open(nat, links);
  const agents: UdpAgent[] = [];
  try {
    await run(world, agents);
  } finally {
    for (const agent of agents) agent.close();
    await world.close();
  }
}

/** Both sides learn their public address and send to the other's; returns which side received. */
async function punchHoles(world: World, agents: UdpAgent[]): Promise<{ a: boolean; b: boolean }> {
  const echo = `${world.serverAddress}:5000`;
  const server = await UdpAgent.open(world.server, 5000, "echo");
  const a = await UdpAgent.open(world.a.client, 4001);
  const b = await UdpAgent.open(world.b.client, 4002);
  agents.push(server, a, b);
  const publicA = await a.reflexiveAddress(echo);
  const publicB = await b.reflexiveAddress(echo);
  for (let round = 0; round < 5; round++) {
    a.send("hole", publicB);
    b.send("hole", publicA);
    // These responses arrive after any packet that passed a hole.
    await a.reflexiveAddress(echo);
    await b.reflexiveAddress(echo);
  }
  const hasReceived = (agent: UdpAgent) => agent.received.some(({ text }) => text === "hole");
  return { a: hasReceived(a), b: hasReceived(b) };
}

test("a symmetric NAT maps every destination to another port", async () => {
  await inWorld("symmetric", async (world, agents) => {
    for (const port of [5000, 5001, 5002])
      agents.push(await UdpAgent.open(world.server, port, "echo"));
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(client);
    const addresses = [];
    for (const port of [5000, 5001, 5002])
      addresses.push(await client.reflexiveAddress(`${world.serverAddress}:${port}`));
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address.split(":")[0]).toBe(world.a.address);
  });
});

test("a cone NAT maps all destinations to one port", async () => {
  await inWorld("cone", async (world, agents) => {
    for (const port of [5000, 5001]) agents.push(await UdpAgent.open(world.server, port, "echo"));
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(client);
    const first = await client.reflexiveAddress(`${world.serverAddress}:5000`);
    expect(await client.reflexiveAddress(`${world.serverAddress}:5001`)).toBe(first);
    expect(first).toBe(`${world.a.address}:4001`);
  });
});

test("hole punching works between two cone NATs", async () => {
  await inWorld("cone", async (world, agents) => {
    expect(await punchHoles(world, agents)).toEqual({ a: true, b: true });
  });
});

test("hole punching fails between two symmetric NATs", async () => {
  await inWorld("symmetric", async (world, agents) => {
    expect(await punchHoles(world, agents)).toEqual({ a: false, b: false });
  });
});

test("dropping UDP lets TCP pass", async () => {
  await inWorld("symmetric", async (world, agents) => {
    const server = await UdpAgent.open(world.server, 5000, "echo");
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(server, client);
    const echo = `${world.serverAddress}:5000`;
    await client.reflexiveAddress(echo);
    const before = server.received.length;

    world.a.dropUdp(true);
    client.send("lost", echo);
    await expect.poll(() => world.a.droppedPackets).toBe(1);
    expect(server.received.length).toBe(before);

    const listen = `require("node:net").createServer((s) => s.end("tcp")).listen(5000)`;
    const call = `require("node:net").connect(5000, "${world.serverAddress}").pipe(process.stdout)`;
    const listener = world.server.spawn([process.execPath, "-e", listen], { stdio: "ignore" });
    await expect
      .poll(() => world.a.client.run("sh", "-c", `${process.execPath} -e '${call}' 2>&1 || true`))
      .toBe("tcp");
    listener.kill();

    world.a.dropUdp(false);
    await client.reflexiveAddress(echo);
  });
});

test("an impaired link adds delay, loss and a bottleneck, one way or both", async () => {
  await inWorld(
    "cone",
    async (world, agents) => {
      const server = await UdpAgent.open(world.server, 5000, "echo");
      const client = await UdpAgent.open(world.a.client, 4001);
      agents.push(server, client);
      const echo = `${world.serverAddress}:5000`;
      const link = world.a.link!;
      await client.reflexiveAddress(echo);

      await link.set({ delayMs: 200 });
      const start = performance.now();
      await client.reflexiveAddress(echo);
      expect(performance.now() - start).toBeGreaterThan(400);

      await link.set({ loss: 1 }, "B");
      await link.set({}, "A");
      const serverReceived = server.received.length;
      const clientReceived = client.received.length;
      for (let n = 0; n < 20; n++) client.send("one way", echo);
      await expect.poll(() => server.received.length).toBe(serverReceived + 20);
      expect(client.received.length).toBe(clientReceived);

      // 1,000 bytes and their headers take 208 ms at 40 kb/s; the queue holds five packets.
      await link.set({});
      await link.set({ bitsPerSecond: 40_000, queueBytes: 5_210 }, "A");
      const before = server.received.length;
      const first = performance.now();
      for (let n = 0; n < 20; n++) client.send("x".repeat(1000), echo);
      await expect.poll(() => server.received.length).toBe(before + 6);
      expect(performance.now() - first).toBeGreaterThan(1000);
      await link.set({});
      await client.reflexiveAddress(echo);
      expect(server.received.length).toBe(before + 7);
    },
    "impaired",
  );
});

test("a world removes its namespaces, and those of crashed runs", async () => {
  const own = () => namespaces().filter((name) => name.includes(`-${process.pid}-`));
  await inWorld("cone", async () => {
    expect(own()).toHaveLength(6);
  });
  expect(own()).toEqual([]);

  const endedPid = spawnSync(process.execPath, ["-e", ""]).pid;
  execFileSync("ip", ["netns", "add", `moim-e2e-${endedPid}-1-wan`]);
  await inWorld("cone", async () => {});
  expect(namespaces()).not.toContain(`moim-e2e-${endedPid}-1-wan`);
});

function namespaces(): string[] {
  const lines = execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).split("\n");
  return lines.map((line) => line.split(" ")[0] ?? "");
}
