// What no page of ours may ever do, watched in every test.

import type { Page } from "@playwright/test";
import type { Page as FirefoxPage } from "puppeteer-core";

export class Watch {
  private readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** `hosts`: the only ones its page may ask. */
  constructor(
    private readonly who: string,
    private readonly hosts: string[],
  ) {}

  /** Complaints that this test provokes, such as those about a connection it cuts. */
  allow(...complaints: RegExp[]): void {
    this.allowed.push(...complaints);
  }

  /** What went wrong, and is not allowed. */
  get found(): string[] {
    return this.problems.filter(
      (problem) => !this.allowed.some((allowed) => allowed.test(problem)),
    );
  }

  /** Errors in the console, Content Security Policy violations among them, and requests to other hosts. */
  chromium(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.saw("console", message.text());
    });
    page.on("pageerror", (error) => this.saw("uncaught", String(error)));
    page.on("request", (request) => this.requested(request.url()));
    page.on("websocket", (socket) => this.requested(socket.url()));
  }

  firefox(page: FirefoxPage): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.saw("console", message.text());
    });
    page.on("pageerror", (error) => this.saw("uncaught", String(error)));
    page.on("request", (request) => this.requested(request.url()));
  }

  saw(kind: string, what: string): void {
    this.problems.push(`${this.who}: ${kind}: ${what}`);
  }

  /** STUN and TURN servers are hosts too. */
  iceServers(urls: string[]): void {
    for (const url of urls) {
      const address = url.replace(/^\w+:/, "").replace(/\?.*$/, "");
      const host = address.replace(/:\d+$/, "");
      const known = this.hosts.map((known) => new URL(`http://${known}`).hostname);
      if (!known.includes(host)) this.saw("ICE server elsewhere", url);
    }
  }

  private requested(url: string): void {
    const { protocol, host } = new URL(url);
    if (["http:", "https:", "ws:", "wss:"].includes(protocol) && !this.hosts.includes(host)) {
      this.saw("request to another host", url);
    }
  }
}
