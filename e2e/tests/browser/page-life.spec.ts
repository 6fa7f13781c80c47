// Calls that outlive the server's process, and pages that are put away and brought back.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

const PASSWORD = "open sesame";

/** Chromium itself complains about connections that are refused meanwhile. */
const CUT_OFF = [/console: .*(WebSocket|ERR_CONNECTION|Failed to load)/, /request failed/];

async function enterLocked(person: ChromiumParticipant, room: string): Promise<void> {
  await person.comeToDoor(room);
  await person.page.getByTestId("room-password").fill(PASSWORD);
  await person.join();
}

test("a call in a locked room is back by itself after the server was killed, and locked still", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "kept", password: PASSWORD });
  const ada = await open("Ada", { allow: CUT_OFF });
  const grace = await open("Grace", { allow: CUT_OFF });
  for (const person of [ada, grace]) await enterLocked(person, "kept");
  for (const person of [ada, grace]) await person.decodes(1);

  await server.crash((data) => {
    const rooms = join(data, "rooms.json");
    return existsSync(rooms) && readFileSync(rooms, "utf8").includes('"kept"');
  });
  for (const person of [ada, grace]) {
    await expect(person.page.getByTestId("reconnecting")).toBeVisible();
  }
  await server.startAgain();

  for (const person of [ada, grace]) {
    await expect(person.page.getByTestId("reconnecting")).toHaveCount(0, { timeout: 60_000 });
    await person.decodes(1);
  }
  const hedy = await open("Hedy");
  await hedy.comeToDoor("kept");
  await hedy.page.getByTestId("join").click();
  await expect(hedy.page.getByTestId("room-password")).toBeVisible();
  await expect(hedy.page.getByTestId("tile")).toHaveCount(0);
  await hedy.page.getByTestId("room-password").fill(PASSWORD);
  await hedy.join();
  await hedy.decodes(2);
});

test("a page put into the back/forward cache leaves, and is in its call again when it is back", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  for (const person of [ada, grace]) await person.enter("cached");
  for (const person of [ada, grace]) await person.decodes(1);

  // Under a driver Chromium caches no page, so the events of one that is cached are made here.
  await turn(grace, "pagehide");
  await ada.others(0);
  await turn(grace, "pageshow");
  for (const person of [ada, grace]) await person.decodes(1);
  await expect(grace.page.getByTestId("reconnecting")).toHaveCount(0);
});

test("a page gone back to without the cache says that nothing is seen yet, and joins by a press", async ({
  open,
}) => {
  const ada = await open("Ada");
  // The page in between has no icon.
  const grace = await open("Grace", { allow: [/404/] });
  for (const person of [ada, grace]) await person.enter("back");
  for (const person of [ada, grace]) await person.decodes(1);
  await grace.page.goto(`${grace.url}/healthz`);
  await ada.others(0);
  // Any site can go back in the history, so no device starts by that.
  await grace.page.goBack();
  await grace.page.getByTestId("start-devices").click();
  await grace.preview();
  await grace.join();
  for (const person of [ada, grace]) await person.decodes(1);
});

/** Tells the page that it goes into the cache, or comes out of it. */
async function turn(person: ChromiumParticipant, event: "pagehide" | "pageshow"): Promise<void> {
  await person.page.evaluate((event) => {
    dispatchEvent(new PageTransitionEvent(event, { persisted: true }));
  }, event);
}
