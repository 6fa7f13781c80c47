import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";

test("a call behind a proxy that ignores WebSocket upgrades uses long polling", async ({
  open,
  server,
}) => {
  const proxy = await TcpProxy.to(server.port);
  proxy.ignoreUpgrades();
  try {
    const ada = await open("Ada");
    await ada.enter("polling");
    // The browser logs errors about the abandoned WebSocket, and about the proxy that is closed
    // before its page.
    const grace = await open("Grace", {
      url: proxy.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await grace.enter("polling");
    await ada.decodes(1);
    await grace.decodes(1);
    expect(proxy.ignoredUpgrades).toBeGreaterThan(0);
  } finally {
    await proxy.close();
  }
});
