// Playwright's `test` with a server and two browsers, each behind its own NAT.

import { type Browser, test as base } from "@playwright/test";
import type { IceKind, ObserverOptions } from "../support/observer.ts";
import type { ChromiumParticipant } from "../support/participant.ts";
import { Server } from "../support/server.ts";
import { ParticipantPool } from "../support/test.ts";
import { launchChromiumIn } from "./chromium.ts";
import type { Namespace } from "./namespace.ts";
import { type LinkKind, type NatKind, World } from "./world.ts";

export { expect } from "@playwright/test";

const PORT = 4000;

interface Network {
  world: World;
  /** The browser at site a, and the one at site b. */
  browsers: [Browser, Browser];
}

interface Fixtures {
  /** Flags after `moim serve --listen … --data …`; `test.use` sets them. */
  flags: string[];
  server: Server;
  pool: ParticipantPool;
  /** Opens a page at a site. */
  sit: (name: string, site: 0 | 1, observer?: ObserverOptions) => Promise<ChromiumParticipant>;
  /** Lets one participant at each site join a room, optionally with only some ICE servers. */
  meet: (ice?: IceKind[]) => Promise<[ChromiumParticipant, ChromiumParticipant]>;
}

interface WorkerFixtures {
  nat: NatKind;
  links: LinkKind;
  /** Gives IPv6 to the server and to site a. */
  ipv6: boolean;
  network: Network;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  nat: ["symmetric", { option: true, scope: "worker" }],
  links: ["plain", { option: true, scope: "worker" }],
  ipv6: [false, { option: true, scope: "worker" }],

  network: [
    async ({ nat, links, ipv6 }, use) => {
      const world = await World.open(nat, links);
      // Before the browsers start: they abort requests when addresses appear.
      if (ipv6) world.enableIpv6();
      const browsers: Browser[] = [];
      try {
        for (const { client } of [world.a, world.b]) browsers.push(await launchChromiumIn(client));
        await use({ world, browsers: [browsers[0]!, browsers[1]!] });
      } finally {
        for (const browser of browsers) await browser.close();
        await world.close();
      }
    },
    { scope: "worker" },
  ],

  flags: [[], { option: true }],

  server: async ({ network, flags }, use, info) => {
    const host = network.world.server;
    const server = await Server.start({
      flags,
      within: host.within,
      listen: `0.0.0.0:${PORT}`,
      healthy: async (port) => isHealthyWithin(host, port),
    });
    await use(server);
    await server.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
  },

  pool: async ({ network, server, ipv6 }, use, info) => {
    const pool = new ParticipantPool(
      network.browsers[0],
      `https://${network.world.serverAddress}:${server.port}`,
    );
    await use(pool);
    const problems = await pool.closeAll(info);
    for (const site of [network.world.a, network.world.b]) {
      site.dropUdp(false);
      site.randomizePorts(false);
      site.blackHole();
      await site.link?.set({});
    }
    if (ipv6) network.world.a.routeIpv6(true);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },

  sit: async ({ network, pool }, use) => {
    await use((name, site, observer) =>
      pool.open(name, {
        browser: network.browsers[site],
        observer,
        context: {
          ignoreHTTPSErrors: true,
          viewport: { width: 1280, height: 800 },
          locale: "en-US",
        },
      }),
    );
  },

  meet: async ({ sit }, use) => {
    await use(async (ice) => {
      const people: [ChromiumParticipant, ChromiumParticipant] = [
        await sit("Ada", 0, { ice }),
        await sit("Grace", 1, { ice }),
      ];
      for (const person of people) await person.enter("far-apart");
      return people;
    });
  },
});

/** Checks `/healthz` from within the server's namespace. */
export function isHealthyWithin(host: Namespace, port: number): boolean {
  const script = `fetch("http://127.0.0.1:${port}/healthz").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
  try {
    host.run(process.execPath, "-e", script);
    return true;
  } catch {
    return false;
  }
}
