import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

test("Chromium and Firefox connect in either order of joining", async ({ open, pool, firefox }) => {
  const ada = await open("Ada");
  const grace = await pool.openFirefox("Grace", firefox);
  await ada.enter("chromium-first");
  await grace.enter("chromium-first");
  await ada.decodes(1);
  await grace.decodes(1);

  await grace.enter("firefox-first");
  await ada.enter("firefox-first");
  await grace.decodes(1);
  await ada.decodes(1);
});

test("leaving or reloading the page in Firefox removes the participant at once", async ({
  open,
  pool,
  firefox,
  server,
}) => {
  await createRoom(server.url, { name: "pair", capacity: 2 });
  const ada = await open("Ada");
  const grace = await pool.openFirefox("Grace", firefox);
  await ada.openPreview("pair");
  await ada.join();
  await grace.openPreview("pair");
  await grace.join();
  await ada.decodes(1);

  // The room has no third place, so the old participant must have left.
  await grace.openPreview("pair");
  await grace.join();
  await ada.decodes(1);
  await grace.decodes(1);

  const left = Date.now();
  await grace.tab.goto(`${server.url}/`);
  await ada.remoteTiles(0);
  const removed = (await ada.tileChanges()).filter(({ change }) => change === "removed");
  const lastSeen = removed.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  // One second at the server, plus the delay of a busy machine.
  expect(lastSeen - left).toBeLessThan(3_000);
});
