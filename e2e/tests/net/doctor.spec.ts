// The doctor's page behind broken networks. Numbers as in docs/operations.md.

import { test as base, type Page } from "@playwright/test";
import type { Namespace } from "../../net/namespace.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { expect, test as network } from "../../net/test.ts";
import { type Diagnosis, EXAMINATION_MS, examine } from "../../support/doctor.ts";

requireNetworks();

/** Runs on a clean network; more by hand, as 20. */
const CLEAN_RUNS = Number(process.env.MOIM_DOCTOR_RUNS ?? 1);

type Diagnose = (site: 0 | 1, seconds?: number) => Promise<Diagnosis>;

const test = network.extend<{ diagnose: Diagnose }>({
  diagnose: async ({ sit, pool: _pool, server, network: { world } }, use) => {
    const origin = `https://${world.serverAddress}:${server.port}`;
    const pages = new Map<number, Page>();
    await use(async (site, seconds) => {
      const page = pages.get(site) ?? (await sit(`Site ${site}`, site)).page;
      pages.set(site, page);
      const diagnosis = await examine(page, origin, seconds);
      console.log(site, diagnosis.codes, `${diagnosis.ms} ms`, JSON.stringify(diagnosis.checks));
      expect(diagnosis.ms).toBeLessThan(EXAMINATION_MS);
      return diagnosis;
    });
  },
});

/** Adds a firewall's rule while `action` runs. */
async function withRule(host: Namespace, chain: string, rule: string[], action: () => unknown) {
  host.iptables("-I", chain, ...rule, "-j", "DROP");
  try {
    await action();
  } finally {
    host.iptables("-D", chain, ...rule, "-j", "DROP");
  }
}

test.use({ nat: "cone", links: "impaired", flags: ["--also", "0.0.0.0:4001"] });

base.describe.configure({ mode: "default" });

test(`D10 no false alarm in ${CLEAN_RUNS} runs on a clean network`, async ({ diagnose }) => {
  test.setTimeout(60_000 + CLEAN_RUNS * EXAMINATION_MS);
  for (let run = 1; run <= CLEAN_RUNS; run++) {
    const { codes, checks } = await diagnose(1);
    expect(codes, `run ${run}`).toEqual([]);
    for (const check of ["udp", "tcp", "turnUdp", "turnTcp", "turnTls", "webSocket", "polling"]) {
      expect(checks[check], check).toBe("Works");
    }
    expect(checks.nat).toBe("Same port for all");
  }
});

test("D7 three percent lost on the way up is LINE-LOSS-UP, within one percent", async ({
  diagnose,
  network: { world },
}) => {
  await world.a.link?.set({ loss: 0.03 }, "A");
  const { codes, checks, text } = await diagnose(0);
  expect(codes).toEqual(["LINE-LOSS-UP"]);
  const [up, down] = [...(checks.line ?? "").matchAll(/([\d.]+) %/g)].map(([, share]) => share);
  expect(Math.abs(Number(up) - 3)).toBeLessThanOrEqual(1);
  expect(Number(down)).toBeLessThan(0.5);
  expect(text).toMatch(/[234] % of what you send is lost/);
});

test("D5, D1 a port for each destination is NAT-SYMMETRIC, and UDP that others have UDP-CLOSED-HERE", async ({
  diagnose,
  network: { world },
}) => {
  world.b.randomizePorts(true);
  expect((await diagnose(1, 0)).codes).toEqual(["NAT-SYMMETRIC"]);
  // The other network has proven that the server has UDP.
  world.a.dropUdp(true);
  const { codes, text, checks } = await diagnose(0, 0);
  expect(codes).toEqual(["UDP-CLOSED-HERE"]);
  expect(text).toContain(`UDP to ${world.serverAddress} port 4000`);
  expect([checks.udp, checks.tcp]).toEqual(["Does not work", "Works"]);
});

test("D1 UDP dropped at the server is UDP-CLOSED-SERVER for the second visitor", async ({
  diagnose,
  network: { world },
}) => {
  await withRule(world.server, "INPUT", ["-i", "wan", "-p", "udp"], async () => {
    expect((await diagnose(0, 0)).codes).toEqual(["UDP-CLOSED"]);
    const { codes, text } = await diagnose(1, 0);
    expect(codes).toEqual(["UDP-CLOSED-SERVER"]);
    expect(text).toContain("Open UDP 4000 in the firewall of the server");
  });
});

test("D2, D6 only TLS is TLS-ONLY, lost large packets are LARGE-PACKETS", async ({
  diagnose,
  network: { world },
}) => {
  world.a.dropUdp(true);
  // STUN's cookie in plain TCP: ICE-TCP and TURN over TCP.
  const match = ["-p", "tcp", "-m", "string", "--algo", "bm", "--hex-string", "|2112a442|"];
  const stun = ["-i", "lan", ...match];
  // A tunnel with an MTU of 1200 that sends no ICMP: calls at 1280 have no such trouble.
  const large = ["-p", "udp", "-m", "length", "--length", "1201:65535"];
  await withRule(world.a.nat, "FORWARD", stun, () =>
    withRule(world.b.nat, "FORWARD", large, async () => {
      const [tls, small] = await Promise.all([diagnose(0, 0), diagnose(1, 0)]);
      expect(tls.codes).toEqual(["TLS-ONLY"]);
      expect([tls.checks.turnTcp, tls.checks.turnTls]).toEqual(["Does not work", "Works"]);
      expect(small.codes).toEqual(["LARGE-PACKETS"]);
    }),
  );
});
