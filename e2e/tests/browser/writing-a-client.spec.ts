import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

const GUIDE = join(import.meta.dirname, "../../../docs/writing-a-client.md");

test("the client of docs/writing-a-client.md connects with moim's page in either order", async ({
  open,
  server,
}) => {
  const [, sample] = readFileSync(GUIDE, "utf8").match(/```js\n([\s\S]*?)```/) ?? [];
  expect(sample).toContain("http://localhost:4000");
  const bundle = `${server.url}/socket.io/socket.io.esm.min.js`;
  const body = `<!doctype html>
    <link rel="icon" href="data:," />
    <video id="theirs" autoplay muted></video>
    <script type="importmap">{ "imports": { "socket.io-client": "${bundle}" } }</script>
    <script type="module">${sample?.replace("http://localhost:4000", server.url)}</script>`;

  const http = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(body);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const url = `http://localhost:${(http.address() as AddressInfo).port}`;
  const kiosk = await open("Kiosk", { url, server: server.url });
  const kioskDecodes = () =>
    until("the kiosk to decode", async () => {
      const { connections } = await kiosk.report();
      const seen = connections.flatMap(({ inbound }) => inbound);
      return { done: seen.find(({ framesDecoded }) => framesDecoded > 0), seen };
    });

  const ada = await open("Ada");
  await ada.enter("tea");
  await kiosk.page.goto(url);
  await ada.decodes(1);
  await kioskDecodes();

  await ada.tab.click("leave");
  await ada.enter("tea");
  await ada.decodes(1);
  await kioskDecodes();
  http.closeAllConnections();
  http.close();
});
