// The media server from networks that block some transports to it.

import { type Browser, test as base, expect } from "@playwright/test";
import { launchChromiumIn } from "../../net/chromium.ts";
import { Office } from "../../net/office.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { isHealthyWithin } from "../../net/test.ts";
import { countFrames, expectNoFreeze } from "../../support/frames.ts";
import type { ObserverOptions } from "../../support/observer.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expectPair, type SelectedPair, selectedPair } from "../../support/selected-pair.ts";
import { Server } from "../../support/server.ts";
import { waitForConnections, waitForSfuCall, waitForTopology } from "../../support/sfu.ts";
import { ParticipantPool } from "../../support/test.ts";
import { until } from "../../support/until.ts";

requireNetworks();

const PORT = 4000;

interface Fixtures {
  flags: string[];
  pool: ParticipantPool;
  /** Opens a page at a desk of the office. */
  sit: (name: string, desk: number, observer?: ObserverOptions) => Promise<ChromiumParticipant>;
}

interface WorkerFixtures {
  office: { office: Office; browsers: Browser[] };
}

const test = base.extend<Fixtures, WorkerFixtures>({
  flags: [[], { option: true }],

  office: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
    async ({}, use) => {
      const office = Office.open(2);
      const browsers: Browser[] = [];
      try {
        for (const { host } of office.desks) browsers.push(await launchChromiumIn(host));
        await use({ office, browsers });
      } finally {
        for (const browser of browsers) await browser.close();
        office.close();
      }
    },
    { scope: "worker" },
  ],

  pool: async ({ office: { office, browsers }, flags }, use, info) => {
    const server = await Server.start({
      flags,
      within: office.server.within,
      listen: `0.0.0.0:${PORT}`,
      healthy: async (port) => isHealthyWithin(office.server, port),
    });
    const pool = new ParticipantPool(browsers[0]!, `https://${office.serverAddress}:${PORT}`);
    await use(pool);
    const problems = await pool.closeAll(info);
    for (const desk of office.desks) desk.reset();
    await server.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },

  sit: async ({ pool, office: { browsers } }, use) => {
    await use((name, desk, observer) =>
      pool.open(name, {
        browser: browsers[desk]!,
        observer: { camera: "small", ...observer },
        // The browser logs errors about connections that a test cuts or moves.
        allow: [/console: .*(WebSocket|ERR_|Failed to load)/],
        context: {
          ignoreHTTPSErrors: true,
          viewport: { width: 1280, height: 800 },
          locale: "en-US",
        },
      }),
    );
  },
});

// Freezes are measured in real time, so other load on the machine can fail this test. Other tests
// are never retried.
test.describe("measured", () => {
  test.describe.configure({ retries: 2 });

  test("no video freezes if the media server is unreachable for one participant", async ({
    sit,
    office: { office },
  }) => {
    // Without TURN, which would reach the media server. Tiny video in small windows, because each
    // page encodes for two routes at once.
    const stun: ObserverOptions = { ice: ["stun"], camera: "tiny" };
    office.desks[1]?.hideMediaOf(office.serverAddress, PORT);
    const ada = await sit("Ada", 0, stun);
    const grace = await sit("Grace", 1, stun);
    const hedy = await sit("Hedy", 0, stun);
    for (const { page } of [ada, grace, hedy]) {
      await page.setViewportSize({ width: 960, height: 600 });
    }
    await ada.enter("apart");
    await grace.enter("apart");
    await ada.decodes(1);
    await grace.decodes(1);
    // Loads the page before frames are counted, so that its load does not delay the others.
    await hedy.openPreview("apart");
    await countFrames(ada);
    await countFrames(grace);

    await hedy.join();
    for (const person of [ada, grace, hedy]) await person.decodes(2);
    await expect(grace.page.getByTestId("cut-off")).toBeVisible();
    // Grace has direct links to both others, who have the media server and a direct link to her.
    for (const person of [ada, grace, hedy]) await waitForConnections(person, 2);
    for (const person of [ada, grace, hedy]) await person.decodes(2);
    expect(office.desks[1]?.droppedPackets).toBeGreaterThan(0);
    await expectNoFreeze(ada, grace);
  });
});

test.describe("in a room that always uses the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  test("a browser limited to TCP connects by ICE-TCP within three seconds", async ({
    sit,
    office,
  }) => {
    office.office.desks[1]?.dropUdp();
    const ada = await sit("Ada", 0);
    const grace = await sit("Grace", 1);
    await ada.enter("narrow");
    await grace.enter("narrow");
    const entered = Date.now();
    await until("Grace to be connected", async () => {
      const [seen] = (await grace.report()).connections;
      return { done: seen?.state === "connected" || undefined, seen };
    });
    expect(Date.now() - entered).toBeLessThan(3_000);
    await waitForSfuCall([ada, grace]);
    const path = ({ local, remote }: SelectedPair) => [local.type === "relay", remote.protocol];
    await expectPair(ada, path, [false, "udp"]);
    await expectPair(grace, path, [false, "tcp"]);
    await expect(grace.page.getByTestId("cut-off")).toHaveCount(0);
  });

  test("a browser limited to TLS connects through TURN", async ({ sit, office }) => {
    office.office.desks[1]?.hideMediaOf(office.office.serverAddress, PORT);
    const ada = await sit("Ada", 0);
    const grace = await sit("Grace", 1);
    await ada.enter("hidden");
    await grace.enter("hidden");
    await waitForSfuCall([ada, grace]);
    await expectPair(grace, ({ local }) => [local.type, local.relayProtocol], ["relay", "tls"]);
    await expect(grace.page.getByTestId("cut-off")).toHaveCount(0);
  });

  test("a participant whose address changes keeps its id and all tiles", async ({
    sit,
    office,
  }) => {
    const ada = await sit("Ada", 0);
    const grace = await sit("Grace", 1);
    await ada.enter("moving");
    await grace.enter("moving");
    await waitForSfuCall([ada, grace]);
    const before = await grace.ownTile();
    const pairBefore = await selectedPair(grace);

    office.office.desks[1]?.changeAddress();
    await ada.decodes(1);
    await grace.decodes(1);
    await expect(grace.page.getByTestId("reconnecting")).toHaveCount(0, { timeout: 60_000 });
    await waitForTopology(grace, "sfu");
    await grace.decodes(1);
    await ada.decodes(1);
    const pairAfter = await selectedPair(grace);
    expect(`${pairAfter.local.address}:${pairAfter.local.port}`).not.toBe(
      `${pairBefore.local.address}:${pairBefore.local.port}`,
    );
    expect((await grace.ownTile()).participant).toBe(before.participant);
    for (const person of [ada, grace]) {
      const changes = await person.tileChanges();
      expect(changes.filter(({ change }) => change === "removed")).toEqual([]);
      await expect(person.page.getByTestId("cut-off")).toHaveCount(0);
    }
  });
});
