// A site on another origin that shows moim in a frame and talks to it by postMessage.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

declare global {
  interface Window {
    /** Messages of the frame, the oldest first. */
    told: { origin: string; data: Record<string, unknown> }[];
    /** Sends an order to the frame. */
    order: (data: unknown) => void;
  }
}

export class EmbeddingSite {
  private constructor(
    readonly origin: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<EmbeddingSite> {
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "/", "http://site");
      response.writeHead(200, { "content-type": "text/html" });
      response.end(page(searchParams.get("frame") ?? ""));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new EmbeddingSite(`http://localhost:${port}`, async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
  }

  /** URL of the page that frames an address. */
  framing(address: string): string {
    return `${this.origin}/?frame=${encodeURIComponent(address)}`;
  }
}

const page = (address: string) => `<!doctype html><title>School</title>
<script>
  told = [];
  addEventListener("message", ({ origin, data, source }) => {
    if (source === frames[0]) told.push({ origin, data });
  });
  order = (data) => frames[0].postMessage(data, "*");
</script>
<iframe allow="camera; microphone; display-capture; autoplay; screen-wake-lock" width="800" height="600"
  src="${address.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`;
