// Attacks from one address don't affect clients at another address, and the server's memory returns
// to what it was before (SECURITY.md has the limits of what one address can hold).

import { expect, test } from "@playwright/test";
import { requireNetworks } from "../../net/requirements.ts";
import { type Attack, attack, type Call, call, type Witness, witness } from "../../net/stranger.ts";
import { isHealthyWithin } from "../../net/test.ts";
import { World } from "../../net/world.ts";
import { Server } from "../../support/server.ts";
import { until } from "../../support/until.ts";

requireNetworks();

// Delays are measured in real time, so other load on the machine can fail a test.
test.describe.configure({ retries: 1 });

const PORT = 4000;
/** Length of each attack; `MOIM_ATTACK_SECONDS=20` for longer ones. */
const SECONDS = Number(process.env.MOIM_ATTACK_SECONDS ?? 7);
/** Maximum increase of the 99th percentile of delays. */
const MAX_ADDED_P99_MS = 10;
/** Maximum memory during an attack: the budget of queued bytes, plus as much as it had before. */
const MAX_RESIDENT_KIB = 320 * 1024;
/** Maximum growth of memory one minute after an attack. */
const MAX_RETAINED_KIB = 32 * 1024;

/** Attacks, each with a counter that shows that it took place, and the minimum of that counter. */
const ATTACKS: Record<string, [counter: string, minimum: number]> = {
  allocations: ["tried", 300],
  rooms: ["tried", 300],
  "slow-readers": ["sent", 300],
  "slow-sdp": ["tried", 2],
  "large-sdp": ["tried", 4],
  "codec-clash": ["tried", 4],
  twcc: ["sent", 3],
  "udp-flood": ["sent", 50_000],
  lobby: ["bytes in", 10_000],
  guesses: ["tried", 20],
  websocket: ["sent", 500],
  "half-open": ["tried", 1000],
};

interface Measurement {
  clients: Witness;
  call: Call;
  attack: Attack | undefined;
  idleKib: number;
  peakKib: number;
}

let world: World;
let baseline: Measurement;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  world = await World.open("cone");
  baseline = await measure(undefined);
  expectUnaffected(baseline, baseline);
});

test.afterAll(async () => {
  await world?.close();
});

for (const [name, [counter, minimum]] of Object.entries(ATTACKS)) {
  test(`${name} from one address does not affect other addresses`, async () => {
    const measurement = await measure(name);
    const counts = measurement.attack?.counts ?? {};
    expect(counts[counter] ?? 0, JSON.stringify(counts)).toBeGreaterThanOrEqual(minimum);
    expectUnaffected(measurement, baseline);
  });
}

/** Measures well-behaved clients at one site during an attack, if any, from the other site. */
async function measure(attackName: string | undefined): Promise<Measurement> {
  const url = `https://${world.serverAddress}:${PORT}`;
  const server = await Server.start({
    within: world.server.within,
    listen: `0.0.0.0:${PORT}`,
    healthy: async (port) => isHealthyWithin(world.server, port),
  });
  const idleKib = server.residentKib;
  const peak = trackPeakMemory(server);
  try {
    const [clients, callReport, attackReport] = await Promise.all([
      witness(world.b.client, server, url, SECONDS + 2),
      call(world.b.client, server, url, SECONDS),
      attackName ? attack(world.a.client, server, url, SECONDS, attackName) : undefined,
    ]);
    await until("memory to be released", async () => ({
      done: server.residentKib <= idleKib + MAX_RETAINED_KIB || undefined,
      seen: `${server.residentKib} KiB, ${idleKib} before`,
    }));
    expect(isHealthyWithin(world.server, PORT), "/healthz").toBe(true);
    expect(server.log).not.toContain("panicked");
    return { clients, call: callReport, attack: attackReport, idleKib, peakKib: peak.stop() };
  } finally {
    peak.stop();
    expect(await server.stop(), server.log).toBe(0);
  }
}

function trackPeakMemory(server: Server): { stop: () => number } {
  let peakKib = 0;
  const timer = setInterval(() => {
    peakKib = Math.max(peakKib, server.residentKib);
  }, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return peakKib;
    },
  };
}

function expectUnaffected(measurement: Measurement, baseline: Measurement): void {
  const { clients, call } = measurement;
  const details = JSON.stringify(measurement, undefined, 1);
  expect(clients.newcomers.failures, details).toEqual([]);
  expect(call.failures, details).toEqual({});
  for (const kind of ["signal", "relay"] as const) {
    expect(clients[kind].arrived, `${kind}: ${details}`).toBe(clients[kind].sent);
    const allowed = baseline.clients[kind].p99Ms + MAX_ADDED_P99_MS;
    expect(clients[kind].p99Ms, `${kind}: ${details}`).toBeLessThanOrEqual(allowed);
  }
  for (const kind of ["sound", "pictures"] as const) {
    expect(call[kind].tracks, details).toBe(call.expected[kind]);
    expect(call[kind].lost, `${kind}: ${details}`).toBe(0);
    const allowed = baseline.call[kind].delayMs.p99 + MAX_ADDED_P99_MS;
    expect(call[kind].delayMs.p99, `${kind}: ${details}`).toBeLessThanOrEqual(allowed);
  }
  expect(call.pictures.freezes, details).toBe(0);
  expect(measurement.peakKib, details).toBeLessThanOrEqual(MAX_RESIDENT_KIB);
}
