// The admin page: from the one-time link to the end of the session.

import { expectAccessible } from "../../support/accessibility.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";

const PASSWORD = "correct horse battery";

test("an administrator enters by the link, ends a room, makes a key, and finds both in the log", async ({
  open,
  server,
}) => {
  const grace = await open("Grace");
  await grace.enter("morning-tea");
  const hedy = await open("Hedy");
  await hedy.enter("morning-tea");

  // The link that the server printed is good once.
  await expect.poll(() => server.log).toContain("#once=");
  const path = /\/admin#once=[\w-]+/.exec(server.log)?.[0] ?? "";
  const ada = await open("Ada", { allow: [/40[134]/] });
  const { page, url } = ada;
  const at = (id: string) => page.getByTestId(id);
  await page.goto(url + path);
  await at("admin-name").fill("Ada");
  await at("admin-password").fill(PASSWORD);
  await at("admin-password-again").fill(PASSWORD);
  expect(page.url()).not.toContain("once");
  await expectAccessible(page);
  await at("admin-claim").click();

  // The room and its people.
  await expect(at("admin-room")).toContainText("morning-tea");
  await expect(at("admin-person")).toHaveCount(2);
  await expect(at("admin-person").first()).toContainText("camera");
  await expectAccessible(page);
  await takeScreenshots(page, "admin-rooms");
  await at("admin-end-room").click();
  await at("admin-confirm").press("Enter");
  await expect(at("admin-room")).toHaveCount(0);
  await expect(grace.page.getByTestId("call")).toHaveCount(0);

  // A key, which works and is shown once.
  await at("admin-section-access").click();
  await at("admin-key-name").fill("timetable");
  await at("admin-key-add").click();
  const key = (await at("admin-key-secret").textContent()) ?? "";
  const headers = { Authorization: `Bearer ${key}` };
  const made = await fetch(`${url}/api/v1/rooms`, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "lesson" }),
  });
  expect(made.status).toBe(201);
  await expectAccessible(page);

  // The server and its size.
  await at("admin-section-server").click();
  await expect(at("admin-server")).toContainText("Takes new calls");
  await expect(at("admin-sizing")).toContainText("308 Mb/s");
  await expectAccessible(page);

  // The log has it all, and the call is listed.
  await at("admin-section-log").click();
  const entry = (action: string) => page.locator(`[data-action="${action}"]`);
  await expect(entry("room.end")).toContainText("morning-tea");
  await expect(entry("room.end")).toContainText("admin Ada");
  await expect(entry("key.create")).toContainText("timetable");
  await expect(entry("room.create").first()).toContainText("lesson");
  await at("admin-section-calls").click();
  await expect(at("admin-call")).toContainText("morning-tea");

  await at("admin-sign-out").click();
  await expect(at("admin-sign-in")).toBeVisible();
  await page.goto(url + path);
  await at("admin-name").fill("Eve");
  await at("admin-password").fill(PASSWORD);
  await at("admin-password-again").fill(PASSWORD);
  await at("admin-claim").click();
  await expect(at("admin-bad-link")).toBeVisible();
});
