// Monitor for page errors, CSP violations and requests to other hosts, active in every test.

import type { Page } from "@playwright/test";
import type { Page as FirefoxPage } from "puppeteer-core";

export class PageMonitor {
  private readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly iceHosts: string[] = [];

  /** `hosts`: the only hosts that the page may contact. */
  constructor(
    private readonly participant: string,
    private readonly hosts: string[],
  ) {}

  /** Allows problems that the test provokes, such as errors about a connection that it cuts. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  /** Allows STUN and TURN servers on further hosts. */
  allowIceHosts(...hosts: string[]): void {
    this.iceHosts.push(...hosts);
  }

  /** Problems that are not allowed. */
  get unexpected(): string[] {
    return this.problems.filter(
      (problem) => !this.allowed.some((allowed) => allowed.test(problem)),
    );
  }

  /** Monitors console errors (which include CSP violations) and requests to other hosts. */
  monitorChromium(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.add("console", message.text());
    });
    page.on("pageerror", (error) => this.add("uncaught", String(error)));
    page.on("request", (request) => this.checkRequest(request.url()));
    page.on("websocket", (socket) => this.checkRequest(socket.url()));
  }

  monitorFirefox(page: FirefoxPage): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.add("console", message.text());
    });
    page.on("pageerror", (error) => this.add("uncaught", String(error)));
    page.on("request", (request) => this.checkRequest(request.url()));
  }

  add(kind: string, problem: string): void {
    this.problems.push(`${this.participant}: ${kind}: ${problem}`);
  }

  /** Checks the hosts of STUN and TURN servers, too. */
  checkIceServers(urls: string[]): void {
    for (const url of urls) {
      const address = url.replace(/^\w+:/, "").replace(/\?.*$/, "");
      const host = address.replace(/:\d+$/, "");
      const known = this.hosts.map((known) => new URL(`http://${known}`).hostname);
      if (!known.includes(host) && !this.iceHosts.includes(host))
        this.add("ICE server on another host", url);
    }
  }

  private checkRequest(url: string): void {
    const { protocol, host } = new URL(url);
    if (["http:", "https:", "ws:", "wss:"].includes(protocol) && !this.hosts.includes(host)) {
      this.add("request to another host", url);
    }
  }
}
