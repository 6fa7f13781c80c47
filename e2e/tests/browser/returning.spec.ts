// Reloading, going back, closing, and a second tab: none of them ends a call by accident.

import type { Dialog } from "@playwright/test";
import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

test("a reloaded page returns to its call, also with a password, until the call is left", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "return", password: "open sesame" });
  const ada = await open("Ada");
  const { page } = ada;
  await ada.openPreview("return");
  await page.getByTestId("room-password").fill("open sesame");
  await ada.join();
  await page.reload();
  await ada.ownTile();
  await expect(page.getByTestId("join")).toHaveCount(0);

  await ada.tab.click("leave");
  await expect(page.getByTestId("left")).toBeVisible();
  await page.reload();
  await ada.waitForPreview();
  await expect(page.getByTestId("join")).toBeVisible();
});

test("an unlisted room asks for its password at once, also where it has been entered before", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "quiet", password: "open sesame", listed: false });
  const ada = await open("Ada");
  const { page } = ada;
  const password = page.getByTestId("room-password");
  await ada.openPreview("quiet");
  await expect(page.getByTestId("join")).toBeVisible();
  await expect(password).toBeVisible({ timeout: 1 });
  await password.fill("open sesame");
  await ada.join();
  await ada.tab.click("leave");
  await expect(page.getByTestId("left")).toBeVisible();
  await page.goto(ada.previewUrl("quiet"));
  await expect(page.getByTestId("join")).toBeVisible();
  await expect(password).toBeVisible({ timeout: 1 });
});

test("going back and closing ask while others are there; the Leave button does not", async ({
  open,
  server,
}) => {
  const ada = await open("Ada", { mayCrash: true });
  const { page } = ada;
  await ada.enter("guarded");
  const grace = await PaperParticipant.join(server.url, "guarded", "Grace");
  await ada.remoteTiles(1);

  await page.goBack();
  await expect(page.getByTestId("leave-question")).toBeVisible();
  await page.getByTestId("stay").click();
  await ada.remoteTiles(1);

  const dialogs: Dialog[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog);
    void dialog.dismiss();
  });
  await page.close({ runBeforeUnload: true });
  await expect.poll(() => dialogs.map((dialog) => dialog.type())).toEqual(["beforeunload"]);
  await ada.remoteTiles(1);

  await page.goBack();
  await page.getByTestId("leave-after-all").click();
  await expect(page.getByTestId("left")).toBeVisible();
  await page.getByTestId("join-again").click();
  await ada.remoteTiles(1);
  await ada.tab.click("leave");
  await expect(page.getByTestId("left")).toBeVisible();
  await page.close({ runBeforeUnload: true });
  expect(dialogs).toHaveLength(1);
  grace.leave();
});

test("a second tab in the same call asks, and moves the call or joins without a microphone", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  await ada.enter("twice");
  const grace = await PaperParticipant.join(server.url, "twice", "Grace");
  await ada.remoteTiles(1);

  const second = await ada.page.context().newPage();
  await second.goto(ada.roomUrl("twice"));
  await expect(second.getByTestId("elsewhere")).toBeVisible();
  await expect(second.getByTestId("tile")).toHaveCount(0);
  await ada.remoteTiles(1);
  await second.getByTestId("move-here").click();
  await expect(ada.page.getByTestId("left")).toContainText("another tab");
  await expect(second.getByTestId("tile")).toHaveCount(2);

  await ada.page.getByTestId("join-again").click();
  await ada.page.getByTestId("join-second").click();
  await ada.remoteTiles(2);
  await expect(ada.page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  await second.close();
  grace.leave();
});
