// A page of `clients/`, served from an origin of its own or out of a folder, as a tutorial's page is.

import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { expect } from "@playwright/test";
import type { ChromiumParticipant } from "./participant.ts";
import type { Company } from "./test.ts";
import { until } from "./until.ts";

declare global {
  interface Window {
    /** Every event the page heard, with its arguments. */
    heard: Heard[];
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each test knows what its client's arguments are.
export type Heard = [event: string, ...args: any[]];

/** The five pages, and where each finds its client. */
const BUNDLE_AT = {
  "video-chat": "/socket.io-client.js",
  "perfect-negotiation": "/socket.io-client.js",
  conference: "/socket.io-client.js",
  "one-to-one": "/socket.io-client.js",
  codelab: "/socket.io/socket.io.js",
};
export type Client = keyof typeof BUNDLE_AT;

/** The versions of socket.io-client that the published clients load, each from its own package. */
export type Version = "2.3.0" | "2.3.1" | "4.3.2" | "4.4.1";

const E2E = join(import.meta.dirname, "..");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** The files of a client's page, by where the page finds them. */
function filesOf(client: Client, version?: Version): Record<string, string> {
  const page = {
    "/index.html": join(E2E, "clients", client, "index.html"),
    "/client.js": join(E2E, "clients", client, "client.js"),
    "/page.js": join(E2E, "clients/page.js"),
  };
  if (!version) return page;
  const bundle = join(E2E, `node_modules/socket.io-client-${version}/dist/socket.io.js`);
  return { ...page, [BUNDLE_AT[client]]: bundle };
}

/** A client's page in a new folder, with a version of socket.io-client or without any. */
export function folderOf(client: Client, version?: Version): string {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-page-"));
  for (const [path, file] of Object.entries(filesOf(client, version))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(file, join(folder, path));
  }
  return folder;
}

/** One client's page, as people open it. */
export class Tutorial {
  private readonly mortals: Learner[] = [];

  private constructor(
    readonly origin: string,
    private readonly server: string,
    private readonly company: Company,
    private readonly close: () => Promise<void>,
  ) {}

  /** Serves it on another origin than moim's. */
  static async elsewhere(
    client: Client,
    version: Version,
    company: Company,
    server: string,
  ): Promise<Tutorial> {
    const files = filesOf(client, version);
    const http = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const file = files[pathname === "/" ? "/index.html" : pathname];
      if (!file) return response.writeHead(404).end();
      response.setHeader("content-type", `${TYPES[extname(file)]}; charset=utf-8`);
      response.end(await readFile(file));
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const origin = `http://localhost:${(http.address() as AddressInfo).port}`;
    return new Tutorial(origin, server, company, async () => {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    });
  }

  /** Finds it at moim itself, which serves its folder. */
  static at(server: string, company: Company): Tutorial {
    return new Tutorial(server, server, company, async () => {});
  }

  /** Opens the page for somebody, who may be killed by the test. */
  async open(name: string, room = "tea", mortal = false): Promise<Learner> {
    const { origin, server } = this;
    const person = await this.company.open(name, { url: origin, server, mortal });
    // A page that is told of no server finds it where it came from.
    const told = new URLSearchParams({ room, name });
    if (server !== origin) told.set("server", server);
    await person.tab.goto(`${origin}/?${told}`);
    const learner = new Learner(person);
    if (mortal) this.mortals.push(learner);
    return learner;
  }

  async stop(): Promise<void> {
    for (const { person } of this.mortals) await person.close();
    await this.close();
  }
}

/** Somebody who uses a tutorial's page. */
export class Learner {
  constructor(readonly person: ChromiumParticipant) {}

  click(testId: string): Promise<void> {
    return this.person.tab.click(testId);
  }

  /** Waits until the page says how things stand with it. */
  async says(word: string | RegExp): Promise<void> {
    await expect(this.person.page.getByTestId("state")).toHaveText(word, { timeout: 30_000 });
  }

  /** Asks to be let in again and again while the room is full: nobody is told when it no longer is. */
  async insists(ask: () => Promise<unknown>): Promise<void> {
    await until(`${this.person.name} to be let in`, async () => {
      await ask();
      await this.says(/^(joined|full)$/);
      const seen = await this.person.page.getByTestId("state").textContent();
      return { done: seen === "joined" || undefined, seen };
    });
  }

  decodes(others: number): Promise<void> {
    return this.person.decodes(others);
  }

  /** What it heard so far. */
  all(): Promise<Heard[]> {
    return this.person.tab.evaluate(() => window.heard);
  }

  /** The first so named event that it hears, also if it did before. */
  heard(event: string, matches: (heard: Heard) => boolean = () => true): Promise<Heard> {
    return until(`${this.person.name} to hear ${event}`, async () => {
      const all = await this.all();
      const found = all.find((heard) => heard[0] === event && matches(heard));
      return { done: found, seen: all.map(([event]) => event) };
    });
  }

  /** The names of what it heard, without those of no interest. */
  async order(...events: string[]): Promise<string[]> {
    return (await this.all()).map(([event]) => event).filter((event) => events.includes(event));
  }

  /** A value that the page keeps for tests. */
  async noted(name: "socketId" | "streamId"): Promise<string> {
    const { page } = this.person;
    await expect(page.locator("body")).toHaveAttribute(ATTRIBUTE[name]);
    return (await page.locator("body").getAttribute(ATTRIBUTE[name])) ?? "";
  }

  /** Its page dies where it stands, without a word to the server. */
  async kill(): Promise<void> {
    const { page } = this.person;
    const session = await page.context().newCDPSession(page);
    const crash = page.waitForEvent("crash");
    // The page dies before it could answer.
    session.send("Page.crash").catch(() => {});
    await crash;
  }
}

const ATTRIBUTE = { socketId: "data-socket-id", streamId: "data-stream-id" };
