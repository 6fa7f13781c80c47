// A page of another origin that leads its visitors here, by each way a page has.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Ways by which a page navigates to an address; those with a click need one on `#go`. */
export const WAYS = {
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

export type Way = keyof typeof WAYS;

export class Stranger {
  private constructor(
    private readonly port: number,
    readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<Stranger> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://stranger");
      const to = searchParams.get("to") ?? "";
      if (pathname === "/302") return response.writeHead(302, { location: to }).end();
      const way = Object.entries(WAYS).find(([name]) => pathname === `/${name}`)?.[1];
      response.writeHead(way ? 200 : 204, { "content-type": "text/html" });
      response.end(way?.(to));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new Stranger(port, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
  }

  /** `localhost` is another site than `127.0.0.1`; another port of `127.0.0.1` the same site. */
  url(host: "localhost" | "127.0.0.1", way: Way, to: string): string {
    return `http://${host}:${this.port}/${way}?to=${encodeURIComponent(to)}`;
  }
}

const quoted = (text: string) => JSON.stringify(text);

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

/** Fields of a form that asks by GET replace its address's query. */
function form(to: URL): string {
  const fields = [...to.searchParams].map(
    ([name, value]) => `<input name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<form action="${to.origin}${to.pathname}">${fields.join("")}<button id="go"></button></form>`;
}
