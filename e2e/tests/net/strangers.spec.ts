// While a stranger attacks from one address, nobody at another address notices, and the server is afterwards as it
// was before (SECURITY.md says what a stranger can hold).

import { expect, test } from "@playwright/test";
import { needNetworks } from "../../net/requirements.ts";
import { type Attack, attack, type Call, call, type Witness, witness } from "../../net/stranger.ts";
import { answersInside } from "../../net/test.ts";
import { World } from "../../net/world.ts";
import { Server } from "../../support/server.ts";
import { until } from "../../support/until.ts";

needNetworks();

const PORT = 4000;
const SECONDS = 20;
/** What an attack may add to a delay that 99 of 100 stay below. */
const ADDED_MS = 10;
/** What the server may hold while it is attacked, KiB: the budget of queued bytes, and as much again as it had. */
const HELD_KIB = 320 * 1024;
/** What it may have more than before once a minute has passed, KiB. */
const KEPT_KIB = 32 * 1024;

/** Each with a count that tells that it took place, and how much of it there was at least. */
const ATTACKS: Record<string, [count: string, least: number]> = {
  allocations: ["tried", 1000],
  rooms: ["tried", 1000],
  "slow-readers": ["sent", 1000],
  "slow-sdp": ["tried", 4],
  "large-sdp": ["tried", 4],
  "codec-clash": ["tried", 4],
  twcc: ["sent", 3],
  "udp-flood": ["sent", 50_000],
  lobby: ["bytes in", 10_000],
  guesses: ["tried", 20],
  websocket: ["sent", 500],
  "half-open": ["tried", 1000],
};

interface Seen {
  clients: Witness;
  call: Call;
  attack: Attack | undefined;
  idle: number;
  highest: number;
}

let world: World;
let quiet: Seen;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  world = await World.open("cone");
  quiet = await underAttack(undefined);
  expectUndisturbed(quiet, quiet);
});

test.afterAll(async () => {
  await world?.close();
});

for (const [name, [count, least]] of Object.entries(ATTACKS)) {
  test(`${name} from one address leaves everybody else undisturbed`, async () => {
    const seen = await underAttack(name);
    const counts = seen.attack?.counts ?? {};
    expect(counts[count] ?? 0, JSON.stringify(counts)).toBeGreaterThanOrEqual(least);
    expectUndisturbed(seen, quiet);
  });
}

/** A call, a pair and a TURN client at one site, a stranger at the other, and a server of their own. */
async function underAttack(name: string | undefined): Promise<Seen> {
  const url = `https://${world.serverAddress}:${PORT}`;
  const server = await Server.start({
    within: world.server.within,
    listen: `0.0.0.0:${PORT}`,
    healthy: async (port) => answersInside(world.server, port),
  });
  const [idle, highest] = [server.memory, watch(server)];
  try {
    const [clients, people, stranger] = await Promise.all([
      witness(world.b.client, server, url, SECONDS + 2),
      call(world.b.client, server, url, SECONDS),
      name ? attack(world.a.client, server, url, SECONDS, name) : undefined,
    ]);
    await until("memory to be given back", async () => ({
      done: server.memory <= idle + KEPT_KIB || undefined,
      seen: `${server.memory} KiB, ${idle} before`,
    }));
    expect(answersInside(world.server, PORT), "/healthz").toBe(true);
    expect(server.log).not.toContain("panicked");
    return { clients, call: people, attack: stranger, idle, highest: highest.stop() };
  } finally {
    highest.stop();
    expect(await server.stop(), server.log).toBe(0);
  }
}

/** Looks at the server's memory all the time. */
function watch(server: Server): { stop: () => number } {
  let highest = 0;
  const timer = setInterval(() => {
    highest = Math.max(highest, server.memory);
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return highest;
    },
  };
}

function expectUndisturbed(seen: Seen, quiet: Seen): void {
  const { clients, call: people } = seen;
  const told = JSON.stringify(seen, undefined, 1);
  expect(clients.newcomers.failures, told).toEqual([]);
  expect(people.failures, told).toEqual({});
  for (const kind of ["signal", "relay"] as const) {
    expect(clients[kind].arrived, `${kind}: ${told}`).toBe(clients[kind].sent);
    const allowed = quiet.clients[kind].p99Ms + ADDED_MS;
    expect(clients[kind].p99Ms, `${kind}: ${told}`).toBeLessThanOrEqual(allowed);
  }
  for (const kind of ["sound", "pictures"] as const) {
    expect(people[kind].tracks, told).toBe(people.expected[kind]);
    expect(people[kind].lost, `${kind}: ${told}`).toBe(0);
    const allowed = quiet.call[kind].delayMs.p99 + ADDED_MS;
    expect(people[kind].delayMs.p99, `${kind}: ${told}`).toBeLessThanOrEqual(allowed);
  }
  expect(people.pictures.freezes, told).toBe(0);
  expect(seen.highest, told).toBeLessThanOrEqual(HELD_KIB);
}
