import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

test("Chromium and Firefox call each other, whoever comes first", async ({
  open,
  company,
  firefox,
}) => {
  const ada = await open("Ada");
  const grace = await company.openFirefox("Grace", firefox);
  await ada.enter("chromium-first");
  await grace.enter("chromium-first");
  await ada.decodes(1);
  await grace.decodes(1);

  await grace.enter("firefox-first");
  await ada.enter("firefox-first");
  await grace.decodes(1);
  await ada.decodes(1);
});

test("who leaves or reloads the page in Firefox is gone at once, and finds no ghost of its own", async ({
  open,
  company,
  firefox,
  server,
}) => {
  await createRoom(server.url, { name: "pair", capacity: 2 });
  const ada = await open("Ada");
  const grace = await company.openFirefox("Grace", firefox);
  await ada.comeToDoor("pair");
  await ada.join();
  await grace.comeToDoor("pair");
  await grace.join();
  await ada.decodes(1);

  // The room has no third place.
  await grace.comeToDoor("pair");
  await grace.join();
  await ada.decodes(1);
  await grace.decodes(1);

  const left = Date.now();
  await grace.tab.goto(`${server.url}/`);
  await ada.others(0);
  const removed = (await ada.tileChanges()).filter(({ change }) => change === "removed");
  const lastSeen = removed.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  // A second at the server, and what a busy machine adds on the way.
  expect(lastSeen - left).toBeLessThan(3_000);
});
