// A proxy that reads a request to upgrade and answers nothing.

import { Cable } from "../../support/cable.ts";
import { expect, test } from "../../support/test.ts";

test("a call behind a proxy that swallows upgrades runs over polling", async ({ open, server }) => {
  const cable = await Cable.to(server.port);
  cable.swallowUpgrades();
  try {
    const ada = await open("Ada");
    await ada.enter("swallowed");
    // The browser itself complains about the WebSocket that is given up, and in the end about the
    // proxy that is gone before its page.
    const grace = await open("Grace", {
      url: cable.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await grace.enter("swallowed");
    await ada.decodes(1);
    await grace.decodes(1);
    expect(cable.swallowed).toBeGreaterThan(0);
  } finally {
    await cable.close();
  }
});
