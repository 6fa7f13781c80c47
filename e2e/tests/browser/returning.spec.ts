// Reloading, going back, closing, and a second tab: none of them ends a call by accident.

import type { Dialog } from "@playwright/test";
import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import { listen, spoken } from "../../support/spoken.ts";
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

test("a reload keeps the pin, the view, the panel, its chat and the microphone off, and is told to nobody", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const { page } = ada;
  await ada.enter("again");
  await grace.enter("again");
  const join = (name: string) => PaperParticipant.join(server.url, "again", name);
  const hedy = await join("Hedy");
  await ada.remoteTiles(2);
  await page.getByTestId("toggle-mic").click();
  await page.getByTestId("toggle-view").click();
  await page.getByRole("button", { name: "Pin Hedy", exact: true }).click();
  await page.getByTestId("chat-open").click();
  await hedy.write("Good morning");
  await page.getByTestId("chat-input").fill("Good evening");
  await page.getByTestId("chat-send").click();
  const state = async () => ({
    large: await page.locator("[data-testid=tile][data-large=true]").getAttribute("data-name"),
    view: await page.locator("#call-tiles").getAttribute("data-view"),
    chat: (await page.getByTestId("chat-message").allInnerTexts()).map((text) => {
      const lines = text.split("\n");
      return `${lines[0]}: ${lines.at(-1)}`;
    }),
    mic: await page.getByTestId("toggle-mic").getAttribute("aria-pressed"),
    camera: await page.getByTestId("toggle-camera").getAttribute("aria-pressed"),
  });
  await expect(page.getByTestId("chat-message")).toHaveCount(2);
  const before = await state();
  expect(before).toEqual({
    large: "Hedy",
    view: "speaker",
    chat: ["Hedy: Good morning", "You: Good evening"],
    mic: "false",
    camera: "true",
  });

  await listen(grace);
  const reloadedAt = Date.now();
  await page.reload();
  await ada.remoteTiles(2);
  const added = (await ada.tileChanges()).filter(({ change }) => change === "added");
  expect(Math.max(...added.map(({ at }) => at)) - reloadedAt).toBeLessThan(3_000);
  await expect(page.getByTestId("chat-message")).toHaveCount(2);
  expect(await state()).toEqual(before);

  // Ben's leaving is told later than Ada's would be.
  await grace.remoteTiles(2);
  const told = async () =>
    (await spoken(grace)).map(({ text }) => text).filter((text) => /joined|left/.test(text));
  const ben = await join("Ben");
  await expect.poll(told).toEqual(["Ben joined"]);
  ben.leave();
  await expect.poll(told, { timeout: 20_000 }).toEqual(["Ben joined", "Ben left"]);
  hedy.leave();
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
