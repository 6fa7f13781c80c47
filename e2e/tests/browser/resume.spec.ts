import { Cable } from "../../support/cable.ts";
import { expect, test } from "../../support/test.ts";

test("a cut connection comes back as the same participant, and nobody saw a leave", async ({
  open,
  server,
}) => {
  const cable = await Cable.to(server.port);
  try {
    const ada = await open("Ada");
    // The browser itself complains about the connection that this test cuts.
    const grace = await open("Grace", {
      url: cable.url,
      allow: [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/],
    });
    await ada.enter("resume");
    await grace.enter("resume");
    await ada.decodes(1);
    await grace.decodes(1);
    const before = await grace.self();

    cable.pull();
    // Media has a path of its own.
    await ada.decodes(1);
    await grace.decodes(1);
    const hedy = await open("Hedy");
    await hedy.enter("resume");
    await ada.others(2);

    cable.mend();
    // Whoever came in the meantime is not missed, and signals pass again in both directions.
    await grace.decodes(2);
    await hedy.decodes(2);
    await ada.decodes(2);

    expect((await grace.self()).participant).toBe(before.participant);
    for (const person of [ada, grace, hedy]) {
      const changes = await person.tileChanges();
      expect(changes.filter(({ change }) => change === "removed")).toEqual([]);
    }
    const seen = (await ada.tileChanges()).filter(({ name }) => name === "Grace");
    expect(seen.map(({ participant }) => participant)).toEqual([before.participant]);
  } finally {
    await cable.close();
  }
});
