// Playwright's `test` with a server of its own for every test, and participants to open.

import {
  type Browser,
  type BrowserContextOptions,
  test as base,
  type TestInfo,
} from "@playwright/test";
import type { Browser as Firefox } from "puppeteer-core";
import { launchFirefox } from "./firefox.ts";
import { type ObserverOptions, observe } from "./observer.ts";
import { ChromiumParticipant, Participant } from "./participant.ts";
import { Server } from "./server.ts";
import { chromiumTab, firefoxTab } from "./tab.ts";
import { Watch } from "./watch.ts";

export { expect } from "@playwright/test";

export interface OpenOptions {
  /** Where the participant reaches the server, if not directly. */
  url?: string;
  /** Where the page finds the server, if it comes from elsewhere. */
  server?: string;
  /** Another browser than the one all share. */
  browser?: Browser;
  context?: BrowserContextOptions;
  observer?: ObserverOptions;
  /** Complaints of the page that this test provokes. */
  allow?: RegExp[];
  /** The test ends the page or its browser itself. */
  mortal?: boolean;
}

/** The participants of one test, looked after until its end. */
export class Company {
  private readonly members: { participant: Participant; watch: Watch; mortal: boolean }[] = [];
  private readonly browsers: { close(): Promise<void> }[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly url: string,
  ) {}

  /** Opens an empty page for a participant in Chromium, with storage of its own. */
  async open(name: string, options: OpenOptions = {}): Promise<ChromiumParticipant> {
    const url = options.url ?? this.url;
    const context = await (options.browser ?? this.browser).newContext(options.context);
    await context.addInitScript(observe, options.observer ?? {});
    const page = await context.newPage();
    const participant = new ChromiumParticipant(name, chromiumTab(page), url, page);
    this.watch(participant, options).chromium(page);
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
    const participant = new Participant(name, firefoxTab(page), url);
    this.watch(participant, { allow }).firefox(page);
    return participant;
  }

  /** Closes a browser of the test's own at the end. */
  bring<B extends { close(): Promise<void> }>(browser: B): B {
    this.browsers.push(browser);
    return browser;
  }

  private watch(participant: Participant, options: OpenOptions): Watch {
    const hosts = [participant.url, options.server ?? participant.url].map(hostOf);
    const watch = new Watch(participant.name, hosts);
    watch.allow(...(options.allow ?? []));
    this.members.push({ participant, watch, mortal: options.mortal ?? false });
    return watch;
  }

  /** Looks a last time at every page, closes it, and tells what it did that no page may. */
  async goodbye(info: TestInfo): Promise<string[]> {
    for (const { participant, watch, mortal } of this.members) {
      if (mortal) continue;
      try {
        for (const violation of await participant.tab.evaluate(
          () => window.observed?.violations ?? [],
        )) {
          watch.saw("Content Security Policy", violation);
        }
        const report = await participant.report();
        watch.iceServers(report.connections.flatMap((connection) => connection.iceServers));
        if (info.status !== info.expectedStatus) await this.testify(participant, report, info);
      } catch (error) {
        watch.saw("at the end", String(error));
      }
      await participant.close();
    }
    for (const browser of this.browsers) await browser.close();
    return this.members.flatMap(({ watch }) => watch.found);
  }

  private async testify(participant: Participant, report: unknown, info: TestInfo): Promise<void> {
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
  company: Company;
  /** Opens participants. */
  open: Company["open"];
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
    if (code !== 0) throw new Error(`moim ended with code ${code} when asked to\n${server.log}`);
  },

  company: async ({ browser, server }, use, info) => {
    const company = new Company(browser, server.url);
    await use(company);
    const problems = await company.goodbye(info);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },

  open: async ({ company }, use) => {
    await use((name, options) => company.open(name, options));
  },

  firefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs.
    async ({}, use) => {
      const firefox = await launchFirefox();
      await use(firefox);
      await firefox.close();
    },
    { scope: "worker" },
  ],
});
