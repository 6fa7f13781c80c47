// The media server from networks that keep some of it away.

import { type Browser, test as base, expect } from "@playwright/test";
import { launchChromiumIn } from "../../net/chromium.ts";
import { Office } from "../../net/office.ts";
import { needNetworks } from "../../net/requirements.ts";
import { answersInside } from "../../net/test.ts";
import { countFrames, nobodyLost } from "../../support/frames.ts";
import type { ObserverOptions } from "../../support/observer.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { Server } from "../../support/server.ts";
import { hasConnections, hasTopology, meetAtServer, wayOf } from "../../support/sfu.ts";
import { Company } from "../../support/test.ts";
import { until } from "../../support/until.ts";

needNetworks();

const PORT = 4000;

interface Fixtures {
  flags: string[];
  company: Company;
  /** Opens a page at a desk. */
  sit: (name: string, desk: number, observer?: ObserverOptions) => Promise<ChromiumParticipant>;
}

interface WorkerFixtures {
  office: { office: Office; browsers: Browser[] };
}

const test = base.extend<Fixtures, WorkerFixtures>({
  flags: [[], { option: true }],

  office: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs.
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

  company: async ({ office: { office, browsers }, flags }, use, info) => {
    const server = await Server.start({
      flags,
      within: office.server.within,
      listen: `0.0.0.0:${PORT}`,
      healthy: async (port) => answersInside(office.server, port),
    });
    const company = new Company(browsers[0]!, `https://${office.serverAddress}:${PORT}`);
    await use(company);
    const problems = await company.goodbye(info);
    for (const desk of office.desks) desk.reset();
    await server.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },

  sit: async ({ company, office: { browsers } }, use) => {
    await use((name, desk, observer) =>
      company.open(name, {
        browser: browsers[desk]!,
        observer: { camera: "small", ...observer },
        // What a test cuts or moves, the browser itself complains of.
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

// How long pictures stand still is measured: what else the machine does just then may spoil it. What
// is either so or not is never tried again.
test.describe("measured", () => {
  test.describe.configure({ retries: 2 });

  test("where the media server is out of reach for one, nobody loses a picture", async ({
    sit,
    office: { office },
  }) => {
    // No TURN either, by which it would get there. Pictures of one size, in small windows, as each page
    // encodes for two ways at once.
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
    // What a page takes to be loaded is no matter of those in the call.
    await hedy.comeToDoor("apart");
    await countFrames(ada);
    await countFrames(grace);

    await hedy.join();
    for (const person of [ada, grace, hedy]) await person.decodes(2);
    await expect(grace.page.getByTestId("cut-off")).toBeVisible();
    // Grace by links to both; the two others by the server and a link to her.
    for (const person of [ada, grace, hedy]) await hasConnections(person, 2);
    for (const person of [ada, grace, hedy]) await person.decodes(2);
    expect(office.desks[1]?.swallowed).toBeGreaterThan(0);
    await nobodyLost(ada, grace);
  });
});

test.describe("in a room that is always at the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  test("a browser with nothing but TCP gets there by ICE-TCP, and soon", async ({
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
    await meetAtServer([ada, grace]);
    expect((await wayOf(ada)).remote.protocol).toBe("udp");
    expect((await wayOf(ada)).local.type).not.toBe("relay");
    const { local, remote } = await wayOf(grace);
    expect([local.type === "relay", remote.protocol]).toEqual([false, "tcp"]);
    await expect(grace.page.getByTestId("cut-off")).toHaveCount(0);
  });

  test("one that gets nothing through but TLS gets there by the relay", async ({ sit, office }) => {
    office.office.desks[1]?.hideMediaOf(office.office.serverAddress, PORT);
    const ada = await sit("Ada", 0);
    const grace = await sit("Grace", 1);
    await ada.enter("hidden");
    await grace.enter("hidden");
    await meetAtServer([ada, grace]);
    const { local } = await wayOf(grace);
    expect([local.type, local.relayProtocol]).toEqual(["relay", "tls"]);
    await expect(grace.page.getByTestId("cut-off")).toHaveCount(0);
  });

  test("one whose address changes stays the same participant, with all tiles", async ({
    sit,
    office,
  }) => {
    const ada = await sit("Ada", 0);
    const grace = await sit("Grace", 1);
    await ada.enter("moving");
    await grace.enter("moving");
    await meetAtServer([ada, grace]);
    const before = await grace.self();
    const way = await wayOf(grace);

    office.office.desks[1]?.move();
    await ada.decodes(1);
    await grace.decodes(1);
    await expect(grace.page.getByTestId("reconnecting")).toHaveCount(0, { timeout: 60_000 });
    await hasTopology(grace, "sfu");
    await grace.decodes(1);
    await ada.decodes(1);
    const after = await wayOf(grace);
    expect(`${after.local.address}:${after.local.port}`).not.toBe(
      `${way.local.address}:${way.local.port}`,
    );
    expect((await grace.self()).participant).toBe(before.participant);
    for (const person of [ada, grace]) {
      const changes = await person.tileChanges();
      expect(changes.filter(({ change }) => change === "removed")).toEqual([]);
      await expect(person.page.getByTestId("cut-off")).toHaveCount(0);
    }
  });
});
