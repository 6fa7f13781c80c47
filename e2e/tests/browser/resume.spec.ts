import { TcpProxy } from "../../support/tcp-proxy.ts";
import { expect, test } from "../../support/test.ts";

test("a cut connection resumes as the same participant, and no tile is removed", async ({
  open,
  server,
}) => {
  const proxy = await TcpProxy.to(server.port);
  try {
    const ada = await open("Ada");
    // The browser logs errors about the connection that this test cuts.
    const grace = await open("Grace", {
      url: proxy.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await ada.enter("resume");
    await grace.enter("resume");
    await ada.decodes(1);
    await grace.decodes(1);
    const before = await grace.ownTile();

    proxy.cut();
    // Media has its own path.
    await ada.decodes(1);
    await grace.decodes(1);
    const hedy = await open("Hedy");
    await hedy.enter("resume");
    await ada.remoteTiles(2);

    proxy.restore();
    // Grace learns of Hedy, and signaling works again in both directions.
    await grace.decodes(2);
    await hedy.decodes(2);
    await ada.decodes(2);

    expect((await grace.ownTile()).participant).toBe(before.participant);
    for (const person of [ada, grace, hedy]) {
      const changes = await person.tileChanges();
      expect(changes.filter(({ change }) => change === "removed")).toEqual([]);
    }
    const seen = (await ada.tileChanges()).filter(({ name }) => name === "Grace");
    expect(seen.map(({ participant }) => participant)).toEqual([before.participant]);
  } finally {
    await proxy.close();
  }
});
