// A server behind a router that forwards a port but has no hairpin NAT: participants on its LAN
// reach only its interface address, all others only the announced one.

import { type Browser, test as base, expect } from "@playwright/test";
import { launchChromiumIn } from "../../net/chromium.ts";
import { ForwardedNetwork, SERVER_PORT } from "../../net/forwarded.ts";
import { waitForCall } from "../../net/path.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { isHealthyWithin } from "../../net/test.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expectPair, type SelectedPair, selectedPair } from "../../support/selected-pair.ts";
import { Server } from "../../support/server.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { ParticipantPool } from "../../support/test.ts";

requireNetworks();

interface Fixtures {
  /** Port of the router's public address that is forwarded to the server. */
  publicPort: number;
  flags: string[];
  /** Lets one participant on the server's LAN and one outside join a room. */
  meet: () => Promise<[inside: ChromiumParticipant, outside: ChromiumParticipant]>;
}

interface WorkerFixtures {
  network: { lan: ForwardedNetwork; browsers: [inside: Browser, outside: Browser] };
}

const test = base.extend<Fixtures, WorkerFixtures>({
  publicPort: [SERVER_PORT, { option: true }],
  flags: [[], { option: true }],

  network: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
    async ({}, use) => {
      const lan = ForwardedNetwork.open();
      const browsers: Browser[] = [];
      try {
        for (const host of [lan.inside, lan.outside.client]) {
          browsers.push(await launchChromiumIn(host));
        }
        await use({ lan, browsers: [browsers[0]!, browsers[1]!] });
      } finally {
        for (const browser of browsers) await browser.close();
        lan.close();
      }
    },
    { scope: "worker" },
  ],

  meet: async ({ network: { lan, browsers }, publicPort, flags }, use, info) => {
    lan.forward(publicPort);
    const { publicAddress, serverAddress } = lan;
    const announced = publicPort === SERVER_PORT ? publicAddress : `${publicAddress}:${publicPort}`;
    const server = await Server.start({
      flags: ["--announce", announced, ...flags],
      within: lan.server.within,
      listen: `0.0.0.0:${SERVER_PORT}`,
      healthy: async (port) => isHealthyWithin(lan.server, port),
    });
    const pool = new ParticipantPool(browsers[0], `https://${serverAddress}:${SERVER_PORT}`);
    const open = async (name: string, browser: Browser, url: string) =>
      pool.open(name, {
        browser,
        url,
        iceHosts: [publicAddress, serverAddress],
        observer: { camera: "small" },
        context: { ignoreHTTPSErrors: true, locale: "en-US" },
      });
    await use(async () => {
      const inside = await open("Ada", browsers[0], `https://${serverAddress}:${SERVER_PORT}`);
      const outside = await open("Grace", browsers[1], `https://${publicAddress}:${publicPort}`);
      for (const person of [inside, outside]) await person.enter("both-sides");
      return [inside, outside];
    });
    const problems = await pool.closeAll(info);
    lan.reset();
    await server.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },
});

/** Types of both ends, and how this end reaches its relay. */
const relays = ({ local, remote }: SelectedPair) => [local.type, remote.type, local.relayProtocol];

/** Protocol, address and port of the server's end. */
const remoteEnd = ({ remote }: SelectedPair) => [remote.protocol, remote.address, remote.port];

for (const publicPort of [SERVER_PORT, 443]) {
  test.describe(`public port ${publicPort} of a server on port ${SERVER_PORT}`, () => {
    test.use({ publicPort });

    test("a mesh call between the LAN and outside uses the relay", async ({ meet }) => {
      const people = await meet();
      await waitForCall(people);
      for (const person of people) {
        await expectPair(person, relays, ["relay", "relay", "udp"]);
      }
    });

    test("a mesh call that began over TCP changes to UDP", async ({ meet, network }) => {
      test.setTimeout(120_000);
      network.lan.outside.dropUdp(true);
      const people = await meet();
      await waitForCall(people);
      const [, outside] = people;
      expect((await selectedPair(outside)).local.relayProtocol).toMatch(/tcp|tls/);
      network.lan.outside.dropUdp(false);
      // The first restart may have come before UDP was let through; the next follows after 30 s.
      await expectPair(outside, relays, ["relay", "relay", "udp"], 45_000);
      await waitForCall(people);
      const { states } = (await outside.report()).connections[0]!;
      expect(states, "the call went on meanwhile").not.toContain("disconnected");
    });

    test.describe("over the media server", () => {
      test.use({ flags: ["--topology", "sfu"] });

      test("each side connects to its own address of the server", async ({ meet, network }) => {
        const [inside, outside] = await meet();
        await waitForSfuCall([inside, outside]);
        const { serverAddress, publicAddress } = network.lan;
        await expectPair(inside, remoteEnd, ["udp", serverAddress, SERVER_PORT]);
        await expectPair(outside, remoteEnd, ["udp", publicAddress, publicPort]);
      });

      test("outside without UDP connects over TCP", async ({ meet, network }) => {
        network.lan.outside.dropUdp(true);
        const [inside, outside] = await meet();
        await waitForSfuCall([inside, outside]);
        await expectPair(inside, remoteEnd, ["udp", network.lan.serverAddress, SERVER_PORT]);
        const { local, remote } = await selectedPair(outside);
        if (local.type === "relay") {
          expect(["tcp", "tls"]).toContain(local.relayProtocol);
        } else {
          expect([remote.protocol, remote.port]).toEqual(["tcp", publicPort]);
        }
      });
    });
  });
}
