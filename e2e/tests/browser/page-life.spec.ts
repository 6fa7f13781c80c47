// Calls that survive a server crash, and pages restored from the history.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

const PASSWORD = "open sesame";

/** Errors that Chromium logs while the server is down. */
const SERVER_DOWN_ERRORS = [
  /console: .*(WebSocket|ERR_CONNECTION|Failed to load)/,
  /request failed/,
];

async function enterLocked(person: ChromiumParticipant, room: string): Promise<void> {
  await person.openPreview(room);
  await person.page.getByTestId("room-password").fill(PASSWORD);
  await person.join();
}

test("a call in a locked room resumes after a server crash, and the room is still locked", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "kept", password: PASSWORD });
  const ada = await open("Ada", { allow: SERVER_DOWN_ERRORS });
  const grace = await open("Grace", { allow: SERVER_DOWN_ERRORS });
  for (const person of [ada, grace]) await enterLocked(person, "kept");
  for (const person of [ada, grace]) await person.decodes(1);

  await server.crash((data) => {
    // The room's row has the hash of its password.
    const journal = join(data, "moim.db-wal");
    return existsSync(journal) && readFileSync(journal, "latin1").includes('"iterations":');
  });
  for (const person of [ada, grace]) {
    // They go on talking, and the page says so.
    await expect(person.page.getByTestId("reconnecting")).toHaveAttribute("data-outage", "away");
  }
  await server.restart();

  for (const person of [ada, grace]) {
    await expect(person.page.getByTestId("reconnecting")).toHaveCount(0, { timeout: 60_000 });
    await person.decodes(1);
  }
  const hedy = await open("Hedy");
  await hedy.openPreview("kept");
  await hedy.page.getByTestId("join").click();
  await expect(hedy.page.getByTestId("room-password")).toBeVisible();
  await expect(hedy.page.getByTestId("tile")).toHaveCount(0);
  await hedy.page.getByTestId("room-password").fill(PASSWORD);
  await hedy.join();
  await hedy.decodes(2);
});

test("a page leaves on entering the back/forward cache, and rejoins when restored", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  for (const person of [ada, grace]) await person.enter("cached");
  for (const person of [ada, grace]) await person.decodes(1);

  // An automated Chromium does not cache pages, so the test dispatches the events of the cache.
  await dispatchTransition(grace, "pagehide");
  await ada.remoteTiles(0);
  await dispatchTransition(grace, "pageshow");
  for (const person of [ada, grace]) await person.decodes(1);
  await expect(grace.page.getByTestId("reconnecting")).toHaveCount(0);
});

test("navigating back to an uncached call starts no device before a click", async ({ open }) => {
  const ada = await open("Ada");
  // The page in between has no favicon.
  const grace = await open("Grace", { allow: [/404/] });
  for (const person of [ada, grace]) await person.enter("back");
  for (const person of [ada, grace]) await person.decodes(1);
  await grace.page.goto(`${grace.url}/healthz`);
  await ada.remoteTiles(0);
  // Any site can navigate back in the history, so this starts no device.
  await grace.page.goBack();
  await grace.page.getByTestId("start-devices").click();
  await grace.waitForPreview();
  await grace.join();
  for (const person of [ada, grace]) await person.decodes(1);
});

/** Dispatches the event of entering or leaving the back/forward cache. */
async function dispatchTransition(
  person: ChromiumParticipant,
  event: "pagehide" | "pageshow",
): Promise<void> {
  await person.page.evaluate((event) => {
    dispatchEvent(new PageTransitionEvent(event, { persisted: true }));
  }, event);
}
