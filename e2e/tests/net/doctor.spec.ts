// The doctor's page behind broken networks. Numbers as in docs/operations.md.

import { test as base, type Page } from "@playwright/test";
import { MitmProxy } from "../../net/mitmproxy.ts";
import type { Namespace } from "../../net/namespace.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { expect, test as network } from "../../net/test.ts";
import { SERVER_IPV6 } from "../../net/world.ts";
import { type Diagnosis, EXAMINATION_MS, examine, isOfNetwork } from "../../support/doctor.ts";

requireNetworks();

/** Runs on a clean network; more by hand, as 20. */
const CLEAN_RUNS = Number(process.env.MOIM_DOCTOR_RUNS ?? 1);

/** `fresh` opens another page, with connections of its own. */
type Diagnose = (site: 0 | 1, seconds?: number, fresh?: "fresh") => Promise<Diagnosis>;

const test = network.extend<{ diagnose: Diagnose }>({
  diagnose: async ({ sit, pool: _pool, server, network: { world } }, use) => {
    const origin = `https://${world.serverAddress}:${server.port}`;
    const pages = new Map<number, Page>();
    await use(async (site, seconds, fresh) => {
      const known = fresh ? undefined : pages.get(site);
      const page = known ?? (await sit(`Site ${site}${fresh ?? ""}`, site)).page;
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

test.use({
  nat: "cone",
  links: "impaired",
  ipv6: true,
  flags: ["--also", "0.0.0.0:4001", "--also", "[::]:4000"],
});

base.describe.configure({ mode: "default" });

test(`D10, D6 no false alarm in ${CLEAN_RUNS} runs on a clean network with an MTU of 1280; D7 three percent lost on the way up elsewhere is LINE-LOSS-UP, within one percent`, async ({
  diagnose,
  network: { world },
}) => {
  test.setTimeout(60_000 + CLEAN_RUNS * EXAMINATION_MS);
  await world.a.link?.set({ loss: 0.03 }, "A");
  // The least of IPv6, as of many tunnels: datagrams of calls are made for it.
  world.b.blackHole(1280);
  const lossy = diagnose(0, 8);
  for (let run = 1; run <= CLEAN_RUNS; run++) {
    const { codes, checks } = await diagnose(1);
    expect(codes.filter(isOfNetwork), `run ${run}`).toEqual([]);
    for (const check of ["udp", "tcp", "turnUdp", "turnTcp", "turnTls", "webSocket", "polling"]) {
      expect(checks[check], check).toBe("Works");
    }
    expect(checks.nat).toBe("Same port for all");
    expect(checks.encoder).toMatch(/720p · [\d.]+ ms a frame/);
    expect(checks.udp6, "no IPv6 here").toBeUndefined();
  }
  const { codes, checks, text } = await lossy;
  expect(checks.udp6).toBe("Works");
  expect(codes).toEqual(["LINE-LOSS-UP"]);
  const [up, down] = [...(checks.line ?? "").matchAll(/([\d.]+) %/g)].map(([, share]) => share);
  expect(Math.abs(Number(up) - 3)).toBeLessThanOrEqual(1);
  expect(Number(down)).toBeLessThan(0.5);
  expect(text).toMatch(/[234] % of what you send is lost/);
});

test("D5 a port for each destination is NAT-SYMMETRIC, D8 IPv6 that leads nowhere IPV6-LOST, D1 UDP that others have UDP-CLOSED-HERE, D3 a device that opens TLS TLS-OPENED", async ({
  diagnose,
  network: { world },
  server,
}) => {
  world.b.randomizePorts(true);
  world.a.routeIpv6(false);
  const [lost, symmetric] = await Promise.all([diagnose(0, 0), diagnose(1, 0)]);
  expect(symmetric.codes).toEqual(["NAT-SYMMETRIC"]);
  expect(lost.codes).toEqual(["IPV6-LOST"]);
  expect(lost.text).toContain(SERVER_IPV6);
  expect([lost.checks.udp, lost.checks.udp6]).toEqual(["Works", "Does not work"]);

  world.b.randomizePorts(false);
  // The other network has proven that the server has UDP.
  world.a.dropUdp(true);
  const proxy = await MitmProxy.between(world.b.nat, server.port);
  try {
    const [closed, opened] = await Promise.all([diagnose(0, 0), diagnose(1, 0, "fresh")]);
    expect(opened.codes).toEqual(["TLS-OPENED"]);
    expect(opened.text).toContain("opens encrypted connections");
    expect(closed.codes).toEqual(["UDP-CLOSED-HERE"]);
    expect(closed.text).toContain(`UDP to ${world.serverAddress} port 4000`);
    expect([closed.checks.udp, closed.checks.tcp]).toEqual(["Does not work", "Works"]);
  } finally {
    await proxy.stop();
  }
});

test("D1 UDP dropped at the server is UDP-CLOSED-SERVER for the second visitor", async ({
  diagnose,
  network: { world },
}) => {
  world.a.routeIpv6(false);
  await withRule(world.server, "INPUT", ["-i", "wan", "-p", "udp"], async () => {
    expect((await diagnose(0, 0)).codes).toEqual(["UDP-CLOSED"]);
    const { codes, text } = await diagnose(1, 0);
    expect(codes).toEqual(["UDP-CLOSED-SERVER"]);
    expect(text).toContain("Open UDP 4000 in the firewall of the server");
  });
});

test("D2, D6 only TLS is TLS-ONLY, packets of media lost without ICMP are LARGE-PACKETS", async ({
  diagnose,
  network: { world },
}) => {
  world.a.dropUdp(true);
  world.a.routeIpv6(false);
  // STUN's cookie in plain TCP: ICE-TCP and TURN over TCP.
  const match = ["-p", "tcp", "-m", "string", "--algo", "bm", "--hex-string", "|2112a442|"];
  const stun = ["-i", "lan", ...match];
  // Handshakes pass, with 1,228 bytes at most, and video does not.
  world.b.blackHole(1232);
  await withRule(world.a.nat, "FORWARD", stun, async () => {
    const [tls, small] = await Promise.all([diagnose(0, 0), diagnose(1, 4.5)]);
    expect(tls.codes).toEqual(["TLS-ONLY"]);
    expect([tls.checks.turnTcp, tls.checks.turnTls]).toEqual(["Does not work", "Works"]);
    expect(small.codes).toEqual(["LARGE-PACKETS"]);
  });
});
