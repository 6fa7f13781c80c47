// One room over two servers that share it by Redis, in browsers: a server ends and the call goes on.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { longestGap, samplesOf, startRecording } from "../../support/recording.ts";
import { Redis } from "../../support/redis.ts";
import { Server } from "../../support/server.ts";
import { waitForConnections, waitForSfuCall } from "../../support/sfu.ts";
import { forget, listen, spoken } from "../../support/spoken.ts";
import { TcpProxy } from "../../support/tcp-proxy.ts";
import { test as base, expect, type ParticipantPool } from "../../support/test.ts";
import { until } from "../../support/until.ts";

/** Errors that the browser logs about a server that is away. */
const AWAY = [/WebSocket|ERR_CONNECTION|Failed to load/];

const SMALL = { camera: "small" } as const;

type Three = [ChromiumParticipant, ChromiumParticipant, ChromiumParticipant];

/** Time (ms) after which a page that gave the media server up would try it again. */
const GIVEN_UP = 45_000;

interface Fixtures {
  /** Flags of a server of the cluster. */
  cluster: string[];
  /** A second server, besides `server`, which goes on. */
  ending: Server;
}

const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
  cluster: async ({}, use) => {
    const redis = await Redis.start();
    const folder = mkdtempSync(join(tmpdir(), "moim-e2e-cluster-"));
    const key = join(folder, "cluster.key");
    writeFileSync(key, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
    await use(["--cluster", redis.url, "--cluster-key", key]);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  },

  flags: async ({ cluster }, use) => use(cluster),

  ending: async ({ cluster, server }, use, info) => {
    const ending = await Server.start({ flags: cluster });
    for (const one of [server, ending]) await knowsServers(one, 2);
    await use(ending);
    if (info.status !== info.expectedStatus) {
      await info.attach("ending.log", { body: ending.log, contentType: "text/plain" });
    }
    await ending.stop();
  },
});

/** Waits until a server knows this number of servers, with itself. */
async function knowsServers(server: Server, count: number): Promise<void> {
  await until(`${server.url} to know ${count} servers`, async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const seen = /^moim_cluster_nodes (\d+)/m.exec(metrics)?.[1];
    return { done: Number(seen) === count || undefined, seen };
  });
}

/** A call of three: Ada, who came first, by the server that ends, and two others by these ports. */
async function call(open: ParticipantPool["open"], ports: readonly [number, number, number]) {
  const proxies: TcpProxy[] = [];
  const by = async (name: string, port: number) => {
    const proxy = await TcpProxy.to(port);
    proxies.push(proxy);
    return open(name, { url: proxy.url, allow: AWAY, observer: SMALL });
  };
  const people: Three = [
    await by("Ada", ports[0]),
    await by("Grace", ports[1]),
    await by("Hedy", ports[2]),
  ];
  for (const person of people) await person.enter("several");
  await waitForSfuCall(people);
  for (const person of people) await listen(person);
  await people[0].tab.click("chat-open");
  await write(people[0], "before");
  for (const person of people) await forget(person);
  return { people, proxies };
}

async function write(person: ChromiumParticipant, text: string): Promise<void> {
  await person.tab.fill("chat-input", text);
  await person.tab.click("chat-send");
  const last = person.page.getByTestId("chat-message").last();
  await expect(last).toHaveAttribute("data-status", "sent", { timeout: 20_000 });
}

/** Everybody has everybody through the media server, and nobody was said to have left or come. */
async function goesOn(people: Three): Promise<void> {
  for (const person of people) await person.decodes(people.length - 1, GIVEN_UP / 2);
  for (const person of people) await waitForConnections(person, 1);
  for (const person of people) {
    const topology = person.page.getByTestId("topology");
    await expect(topology).toHaveAttribute("data-topology", "sfu");
    const texts = (await spoken(person)).map(({ text }) => text);
    expect(texts.filter((text) => /(joined|left)\b/.test(text))).toEqual([]);
  }
  await write(people[0], "after");
  const hedy = people[2];
  await hedy.tab.click("chat-open");
  const messages = hedy.page.getByTestId("chat-message");
  await expect(messages).toHaveCount(2);
  await expect(messages.first()).toContainText("before");
  await expect(messages.last()).toContainText("after");
}

/** Both got media of each other all the time: no pause in milliseconds was longer than this. */
async function heardEachOther(
  one: ChromiumParticipant,
  other: ChromiumParticipant,
  // Shorter than any new link takes: the link was kept.
  longest = 1_500,
) {
  for (const [at, of] of [
    [one, other],
    [other, one],
  ] as const) {
    const samples = await samplesOf(at, of);
    const gap = longestGap(samples, "audioPackets");
    const pauses = samples.slice(1).map((sample, i) => sample.at - (samples[i]?.at ?? 0));
    const pause = Math.round(Math.max(...pauses));
    console.log(
      `${of.name} at ${at.name}'s: longest gap of sound ${gap} ms, of samples ${pause} ms`,
    );
    expect(gap).toBeLessThan(longest);
  }
}

test("server of a room is killed: media by the other goes on, and who came by it comes back", async ({
  open,
  server,
  ending,
}) => {
  const { people, proxies } = await call(open, [ending.port, server.port, server.port]);
  const [, grace, hedy] = people;
  await startRecording(grace, hedy);
  await startRecording(hedy, grace);

  for (const proxy of proxies) proxy.redirect(server.port);
  await ending.crash(() => true);
  await goesOn(people);
  await heardEachOther(grace, hedy);
  for (const proxy of proxies) await proxy.close();
});

test("server of two people is killed, and the room's server goes on", async ({
  open,
  server,
  ending,
}) => {
  const { people, proxies } = await call(open, [server.port, ending.port, ending.port]);
  for (const proxy of proxies) proxy.redirect(server.port);
  await ending.crash(() => true);
  await goesOn(people);
  for (const proxy of proxies) await proxy.close();
});

test("server of a room hangs: pages notice it long before their connection does", async ({
  open,
  server,
  ending,
}) => {
  const { people, proxies } = await call(open, [ending.port, ending.port, server.port]);
  for (const proxy of proxies) proxy.redirect(server.port);
  ending.hang();
  await goesOn(people);
  for (const proxy of proxies) await proxy.close();
});

test("server of a room is stopped: it hands the room on, and nobody is said to have left", async ({
  open,
  server,
  ending,
}) => {
  const { people, proxies } = await call(open, [ending.port, server.port, ending.port]);
  const [ada, grace, hedy] = people;
  const pairs = [
    [ada, grace],
    [ada, hedy],
    [grace, hedy],
  ] as const;
  for (const [one, other] of pairs) {
    await startRecording(one, other);
    await startRecording(other, one);
  }
  for (const proxy of proxies) proxy.redirect(server.port);
  expect(await ending.stop()).toBe(0);
  await goesOn(people);
  // The next link has media before the former one ends. A sample takes 100 ms.
  for (const [one, other] of pairs) await heardEachOther(one, other, 500);
  for (const proxy of proxies) await proxy.close();
});
