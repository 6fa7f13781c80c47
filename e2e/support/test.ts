// Playwright's `test`, with a server for each test and participants to open.

import {
  type Browser,
  type BrowserContextOptions,
  test as base,
  type TestInfo,
} from "@playwright/test";
import type { Browser as Firefox } from "puppeteer-core";
import { launchFirefox } from "./firefox.ts";
import { type ObserverOptions, observe } from "./observer.ts";
import { PageMonitor } from "./page-monitor.ts";
import { ChromiumParticipant, Participant } from "./participant.ts";
import { Server } from "./server.ts";
import { chromiumTab, firefoxTab } from "./tab.ts";

export { expect } from "@playwright/test";

export interface OpenOptions {
  /** URL of the page, if it is not the server's own. */
  url?: string;
  /** URL of the server, if the page comes from another origin. */
  server?: string;
  /** Hosts of STUN and TURN servers besides that of the page. */
  iceHosts?: string[];
  /** Browser to use instead of the shared one. */
  browser?: Browser;
  context?: BrowserContextOptions;
  observer?: ObserverOptions;
  /** Patterns of page errors that the test provokes. */
  allow?: RegExp[];
  /** The test ends the page or its browser itself. */
  mayCrash?: boolean;
}

interface Member {
  participant: Participant;
  monitor: PageMonitor;
  mayCrash: boolean;
}

/** The participants of one test, monitored and closed at its end. */
export class ParticipantPool {
  private readonly members: Member[] = [];
  private readonly browsers: { close(): Promise<void> }[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly url: string,
  ) {}

  /** Opens an empty page in Chromium, with its own storage. */
  async open(name: string, options: OpenOptions = {}): Promise<ChromiumParticipant> {
    const url = options.url ?? this.url;
    const context = await (options.browser ?? this.browser).newContext(options.context);
    await context.addInitScript(observe, options.observer ?? {});
    const page = await context.newPage();
    const participant = new ChromiumParticipant(name, chromiumTab(page), url, page);
    this.monitor(participant, options).monitorChromium(page);
    return participant;
  }

  async openFirefox(
    name: string,
    firefox: Firefox,
    observer: ObserverOptions = {},
    url = this.url,
    allow: RegExp[] = [],
  ): Promise<Participant> {
    const context = await firefox.createBrowserContext();
    const page = await context.newPage();
    await page.evaluateOnNewDocument(observe, observer);
    // A page in a call lets the browser ask before it is left. Playwright answers by itself.
    page.on("dialog", (dialog) => void dialog.accept());
    const participant = new Participant(name, firefoxTab(page), url);
    this.monitor(participant, { allow }).monitorFirefox(page);
    return participant;
  }

  /** Registers a browser launched by the test, to be closed at the end. */
  closeAtEnd<B extends { close(): Promise<void> }>(browser: B): B {
    this.browsers.push(browser);
    return browser;
  }

  private monitor(participant: Participant, options: OpenOptions): PageMonitor {
    const hosts = [participant.url, options.server ?? participant.url].map(hostOf);
    const monitor = new PageMonitor(participant.name, hosts);
    monitor.allow(...(options.allow ?? []));
    monitor.allowIceHosts(...(options.iceHosts ?? []));
    this.members.push({ participant, monitor, mayCrash: options.mayCrash ?? false });
    return monitor;
  }

  /** Checks every page a last time, closes it, and returns the unexpected problems of all. */
  async closeAll(info: TestInfo): Promise<string[]> {
    for (const { participant, monitor, mayCrash } of this.members) {
      if (mayCrash) continue;
      try {
        for (const violation of await participant.tab.evaluate(
          () => window.observed?.violations ?? [],
        )) {
          monitor.add("Content Security Policy", violation);
        }
        const report = await participant.report();
        monitor.checkIceServers(report.connections.flatMap((connection) => connection.iceServers));
        if (info.status !== info.expectedStatus) await this.attachReport(participant, report, info);
      } catch (error) {
        monitor.add("at the end", String(error));
      }
      await participant.close();
    }
    for (const browser of this.browsers) await browser.close();
    return this.members.flatMap(({ monitor }) => monitor.unexpected);
  }

  private async attachReport(
    participant: Participant,
    report: unknown,
    info: TestInfo,
  ): Promise<void> {
    const { name } = participant;
    const body = JSON.stringify(report, null, 1);
    await info.attach(`${name}.json`, { body, contentType: "application/json" });
    if (participant instanceof ChromiumParticipant) {
      const body = await participant.page.screenshot();
      await info.attach(`${name}.png`, { body, contentType: "image/png" });
    }
  }
}

const hostOf = (url: string) => new URL(url).host;

interface Fixtures {
  /** Flags after `moim serve --listen … --data …`; `test.use` sets them. */
  flags: string[];
  server: Server;
  pool: ParticipantPool;
  /** Opens participants. */
  open: ParticipantPool["open"];
}

interface WorkerFixtures {
  firefox: Firefox;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  flags: [[], { option: true }],

  server: async ({ flags }, use, info) => {
    const server = await Server.start({ flags });
    await use(server);
    const code = await server.stop();
    if (info.status !== info.expectedStatus) {
      await info.attach("server.log", { body: server.log, contentType: "text/plain" });
    }
    if (code !== 0) throw new Error(`moim exited with code ${code} on SIGTERM\n${server.log}`);
  },

  pool: async ({ browser, server }, use, info) => {
    const pool = new ParticipantPool(browser, server.url);
    await use(pool);
    const problems = await pool.closeAll(info);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },

  open: async ({ pool }, use) => {
    await use((name, options) => pool.open(name, options));
  },

  firefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright needs a pattern.
    async ({}, use) => {
      const firefox = await launchFirefox();
      await use(firefox);
      await firefox.close();
    },
    { scope: "worker" },
  ],
});
