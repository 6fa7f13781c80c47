// The networks themselves, so that what other tests conclude from them holds.

import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "@playwright/test";
import { needNetworks } from "../../net/requirements.ts";
import { UdpAgent } from "../../net/udp-agent.ts";
import { type Lines, type NatKind, World } from "../../net/world.ts";

needNetworks();

async function inWorld(
  nat: NatKind,
  play: (world: World, agents: UdpAgent[]) => Promise<void>,
  lines: Lines = "plain",
): Promise<void> {
  const world = await World.open(nat, lines);
  const agents: UdpAgent[] = [];
  try {
    await play(world, agents);
  } finally {
    for (const agent of agents) agent.close();
    await world.close();
  }
}

/** Both learn their public address from a server and send to the other's; tells who heard the other. */
async function punch(world: World, agents: UdpAgent[]): Promise<{ a: boolean; b: boolean }> {
  const echo = `${world.serverAddress}:5000`;
  const server = await UdpAgent.open(world.server, 5000, "echo");
  const a = await UdpAgent.open(world.a.client, 4001);
  const b = await UdpAgent.open(world.b.client, 4002);
  agents.push(server, a, b);
  const aSeen = await a.ask(echo);
  const bSeen = await b.ask(echo);
  for (let round = 0; round < 5; round++) {
    a.send("hole", bSeen);
    b.send("hole", aSeen);
    // Answers come behind whatever the holes let through.
    await a.ask(echo);
    await b.ask(echo);
  }
  const heard = (agent: UdpAgent) => agent.received.some(({ text }) => text === "hole");
  return { a: heard(a), b: heard(b) };
}

test("a symmetric NAT shows another port to every destination", async () => {
  await inWorld("symmetric", async (world, agents) => {
    for (const port of [5000, 5001, 5002])
      agents.push(await UdpAgent.open(world.server, port, "echo"));
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(client);
    const seen = [];
    for (const port of [5000, 5001, 5002])
      seen.push(await client.ask(`${world.serverAddress}:${port}`));
    expect(new Set(seen).size).toBe(3);
    for (const address of seen) expect(address.split(":")[0]).toBe(world.a.address);
  });
});

test("a cone NAT shows one port to all destinations", async () => {
  await inWorld("cone", async (world, agents) => {
    for (const port of [5000, 5001]) agents.push(await UdpAgent.open(world.server, port, "echo"));
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(client);
    const first = await client.ask(`${world.serverAddress}:5000`);
    expect(await client.ask(`${world.serverAddress}:5001`)).toBe(first);
    expect(first).toBe(`${world.a.address}:4001`);
  });
});

test("hole punching works between two cone NATs", async () => {
  await inWorld("cone", async (world, agents) => {
    expect(await punch(world, agents)).toEqual({ a: true, b: true });
  });
});

test("hole punching fails between two symmetric NATs", async () => {
  await inWorld("symmetric", async (world, agents) => {
    expect(await punch(world, agents)).toEqual({ a: false, b: false });
  });
});

test("where UDP is dropped, TCP still passes", async () => {
  await inWorld("symmetric", async (world, agents) => {
    const server = await UdpAgent.open(world.server, 5000, "echo");
    const client = await UdpAgent.open(world.a.client, 4001);
    agents.push(server, client);
    const echo = `${world.serverAddress}:5000`;
    await client.ask(echo);
    const before = server.received.length;

    world.a.dropUdp(true);
    client.send("lost", echo);
    await expect.poll(() => world.a.swallowed).toBe(1);
    expect(server.received.length).toBe(before);

    const listen = `require("node:net").createServer((s) => s.end("tcp")).listen(5000)`;
    const call = `require("node:net").connect(5000, "${world.serverAddress}").pipe(process.stdout)`;
    const listener = world.server.spawn([process.execPath, "-e", listen], { stdio: "ignore" });
    await expect
      .poll(() => world.a.client.run("sh", "-c", `${process.execPath} -e '${call}' 2>&1 || true`))
      .toBe("tcp");
    listener.kill();

    world.a.dropUdp(false);
    await client.ask(echo);
  });
});

test("a faulty line delays, loses and narrows as it is told, one way or both", async () => {
  await inWorld(
    "cone",
    async (world, agents) => {
      const server = await UdpAgent.open(world.server, 5000, "echo");
      const client = await UdpAgent.open(world.a.client, 4001);
      agents.push(server, client);
      const echo = `${world.serverAddress}:5000`;
      const line = world.a.line!;
      await client.ask(echo);

      await line.set({ delayMs: 200 });
      const start = performance.now();
      await client.ask(echo);
      expect(performance.now() - start).toBeGreaterThan(400);

      await line.set({ loss: 1 }, "B");
      await line.set({}, "A");
      const [sent, got] = [server.received.length, client.received.length];
      for (let n = 0; n < 20; n++) client.send("one way", echo);
      await expect.poll(() => server.received.length).toBe(sent + 20);
      expect(client.received.length).toBe(got);

      // 1,000 bytes and their headers at 40 kb/s take 208 ms each; five may wait.
      await line.set({});
      await line.set({ bitsPerSecond: 40_000, queueBytes: 5_210 }, "A");
      const before = server.received.length;
      const first = performance.now();
      for (let n = 0; n < 20; n++) client.send("x".repeat(1000), echo);
      await expect.poll(() => server.received.length).toBe(before + 6);
      expect(performance.now() - first).toBeGreaterThan(1000);
      await line.set({});
      await client.ask(echo);
      expect(server.received.length).toBe(before + 7);
    },
    "faulty",
  );
});

test("a world leaves nothing behind, and the next sweeps up what a crashed run left", async () => {
  const mine = () => list().filter((name) => name.includes(`-${process.pid}-`));
  await inWorld("cone", async () => {
    expect(mine()).toHaveLength(6);
  });
  expect(mine()).toEqual([]);

  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  execFileSync("ip", ["netns", "add", `moim-e2e-${gone}-1-wan`]);
  await inWorld("cone", async () => {});
  expect(list()).not.toContain(`moim-e2e-${gone}-1-wan`);
});

function list(): string[] {
  const lines = execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).split("\n");
  return lines.map((line) => line.split(" ")[0] ?? "");
}
