// A page on another origin that navigates its visitors to moim, in every way that a page can.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Markup that navigates to an address. Elements with the id `go` need a click. */
export const NAVIGATIONS = {
  location: (to: string) => `<script>location = ${quoted(to)}</script>`,
  replace: (to: string) => `<script>location.replace(${quoted(to)})</script>`,
  refresh: (to: string) => `<meta http-equiv="refresh" content="0;url=${escaped(to)}">`,
  link: (to: string) => `<a id="go" rel="noreferrer" href="${escaped(to)}">go</a>`,
  form: (to: string) => form(new URL(to)),
  redirect: (to: string) => `<a id="go" href="/302?to=${encodeURIComponent(to)}">go</a>`,
  popup: (to: string) =>
    `<button id="go" onclick="popup = window.open(${escaped(quoted(to))})">go</button>`,
  frame: (to: string) => `<iframe allow="camera; microphone" src="${escaped(to)}"></iframe>`,
} as const;

export type NavigationKind = keyof typeof NAVIGATIONS;

export class OtherSite {
  private constructor(
    private readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<OtherSite> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://other-site");
      const to = searchParams.get("to") ?? "";
      if (pathname === "/302") return response.writeHead(302, { location: to }).end();
      const markup = Object.entries(NAVIGATIONS).find(([name]) => pathname === `/${name}`)?.[1];
      response.writeHead(markup ? 200 : 204, { "content-type": "text/html" });
      response.end(markup?.(to));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new OtherSite(port, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
  }

  /** To the server, `localhost` is cross-site, and another port of `127.0.0.1` is same-site. */
  url(host: "localhost" | "127.0.0.1", kind: NavigationKind, to: string): string {
    return `http://${host}:${this.port}/${kind}?to=${encodeURIComponent(to)}`;
  }
}

const quoted = (text: string) => JSON.stringify(text);

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

/** A GET form. Its fields replace the query of the action URL. */
function form(to: URL): string {
  const fields = [...to.searchParams].map(
    ([name, value]) => `<input name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<form action="${to.origin}${to.pathname}">${fields.join("")}<button id="go"></button></form>`;
}
