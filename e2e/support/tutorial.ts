// Pages of the published tutorial clients (`clients/`), served from their own origin or by moim.

import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { expect } from "@playwright/test";
import type { ChromiumParticipant } from "./participant.ts";
import type { ParticipantPool } from "./test.ts";
import { until } from "./until.ts";

declare global {
  interface Window {
    /** All Socket.IO events that the page has received, with their arguments. */
    receivedEvents: ReceivedEvent[];
  }
}

// biome-ignore lint/suspicious/noExplicitAny: arguments differ by event.
export type ReceivedEvent = [event: string, ...args: any[]];

/** The five clients, with the path at which each page loads socket.io-client. */
const BUNDLE_PATHS = {
  "video-chat": "/socket.io-client.js",
  "perfect-negotiation": "/socket.io-client.js",
  conference: "/socket.io-client.js",
  "one-to-one": "/socket.io-client.js",
  codelab: "/socket.io/socket.io.js",
};
export type Client = keyof typeof BUNDLE_PATHS;

/** Versions of socket.io-client that the published clients use, each from its own package. */
export type Version = "2.3.0" | "2.3.1" | "4.3.2" | "4.4.1";

const E2E = join(import.meta.dirname, "..");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

/** Files of a client's page, by URL path. */
function filesOf(client: Client, version?: Version): Record<string, string> {
  const page = {
    "/index.html": join(E2E, "clients", client, "index.html"),
    "/client.js": join(E2E, "clients", client, "client.js"),
    "/page.js": join(E2E, "clients/page.js"),
  };
  if (!version) return page;
  const bundle = join(E2E, `node_modules/socket.io-client-${version}/dist/socket.io.js`);
  return { ...page, [BUNDLE_PATHS[client]]: bundle };
}

/** Copies a client's page into a new folder, with or without a version of socket.io-client. */
export function folderOf(client: Client, version?: Version): string {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-page-"));
  for (const [path, file] of Object.entries(filesOf(client, version))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(file, join(folder, path));
  }
  return folder;
}

/** A site that serves one client's page. */
export class Tutorial {
  private readonly crashableUsers: TutorialUser[] = [];

  private constructor(
    readonly origin: string,
    private readonly server: string,
    private readonly pool: ParticipantPool,
    private readonly close: () => Promise<void>,
  ) {}

  /** Serves the page from its own origin. */
  static async onOwnOrigin(
    client: Client,
    version: Version,
    pool: ParticipantPool,
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
    return new Tutorial(origin, server, pool, async () => {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    });
  }

  /** The page as served by moim itself, from a `--static` folder. */
  static onServer(server: string, pool: ParticipantPool): Tutorial {
    return new Tutorial(server, server, pool, async () => {});
  }

  /** Opens the page for a user. With `mayCrash` the test may crash that page. */
  async open(name: string, room = "tea", mayCrash = false): Promise<TutorialUser> {
    const { origin, server } = this;
    const person = await this.pool.open(name, { url: origin, server, mayCrash });
    // Without a `server` parameter, the page connects to its own origin.
    const query = new URLSearchParams({ room, name });
    if (server !== origin) query.set("server", server);
    await person.tab.goto(`${origin}/?${query}`);
    const user = new TutorialUser(person);
    if (mayCrash) this.crashableUsers.push(user);
    return user;
  }

  async stop(): Promise<void> {
    for (const { person } of this.crashableUsers) await person.close();
    await this.close();
  }
}

/** A user of a client's page. */
export class TutorialUser {
  constructor(readonly person: ChromiumParticipant) {}

  click(testId: string): Promise<void> {
    return this.person.tab.click(testId);
  }

  /** Waits until the page shows this state. */
  async hasState(state: string | RegExp): Promise<void> {
    await expect(this.person.page.getByTestId("state")).toHaveText(state, { timeout: 30_000 });
  }

  /** Retries to join while the room is full: these clients are not notified of a free place. */
  async retryUntilJoined(join: () => Promise<unknown>): Promise<void> {
    await until(`${this.person.name} to join`, async () => {
      await join();
      await this.hasState(/^(joined|full)$/);
      const seen = await this.person.page.getByTestId("state").textContent();
      return { done: seen === "joined" || undefined, seen };
    });
  }

  decodes(others: number): Promise<void> {
    return this.person.decodes(others);
  }

  /** All events received so far. */
  received(): Promise<ReceivedEvent[]> {
    return this.person.tab.evaluate(() => window.receivedEvents);
  }

  /** Waits for the first matching event, which may already have been received. */
  receives(
    event: string,
    matches: (received: ReceivedEvent) => boolean = () => true,
  ): Promise<ReceivedEvent> {
    return until(`${this.person.name} to receive ${event}`, async () => {
      const all = await this.received();
      const match = all.find((received) => received[0] === event && matches(received));
      return { done: match, seen: all.map(([event]) => event) };
    });
  }

  /** Names of the received events, in order, restricted to these. */
  async eventOrder(...events: string[]): Promise<string[]> {
    const names = (await this.received()).map(([event]) => event);
    return names.filter((event) => events.includes(event));
  }

  /** Value that the page exposes for tests. */
  async pageValue(name: "socketId" | "streamId"): Promise<string> {
    const { page } = this.person;
    await expect(page.locator("body")).toHaveAttribute(ATTRIBUTE[name]);
    return (await page.locator("body").getAttribute(ATTRIBUTE[name])) ?? "";
  }

  /** Crashes the page, which sends nothing more to the server. */
  async crash(): Promise<void> {
    const { page } = this.person;
    const session = await page.context().newCDPSession(page);
    const crash = page.waitForEvent("crash");
    // The page crashes before it can answer.
    session.send("Page.crash").catch(() => {});
    await crash;
  }
}

const ATTRIBUTE = { socketId: "data-socket-id", streamId: "data-stream-id" };
