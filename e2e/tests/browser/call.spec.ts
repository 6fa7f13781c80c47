import { expect, test } from "../../support/test.ts";

test("two people create a room, preview, join, and decode each other's audio and video", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.createRoom("tea");
  await expect(ada.page).toHaveURL(/\/r\/tea/);
  await ada.waitForPreview();
  await ada.join();

  const grace = await open("Grace");
  await grace.tab.goto(`${grace.url}/`);
  await grace.tab.fill("name-input", "Grace");
  await grace.page.locator('[data-testid="room-item"][data-room="tea"]').click();
  await expect(grace.page).toHaveURL(/\/r\/tea/);
  await grace.join();

  await ada.decodes(1);
  await grace.decodes(1);
  expect((await ada.remoteTiles(1))[0]).toMatchObject({ name: "Grace", connection: "connected" });
  expect((await grace.remoteTiles(1))[0]).toMatchObject({ name: "Ada", connection: "connected" });
});

test("the room list adds a new room live and removes it when it closes", async ({ open }) => {
  const watcher = await open("Watcher");
  await watcher.tab.goto(`${watcher.url}/`);
  await expect(watcher.page.getByTestId("room-list")).toBeVisible();
  const row = watcher.page.locator('[data-testid="room-item"][data-room="brief"]');
  await expect(row).toHaveCount(0);

  const ada = await open("Ada");
  await ada.enter("brief");
  await expect(row).toBeVisible();
  await ada.tab.click("leave");
  await expect(row).toHaveCount(0);
});

test("the user's name is stored on the device", async ({ open }) => {
  const ada = await open("Ada");
  await ada.createRoom("memory");
  await ada.join();
  await ada.page.goto(`${ada.url}/`);
  await expect(ada.page.getByTestId("name-input")).toHaveValue("Ada");
});

test("microphone and camera toggle off and on", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("switches");
  await grace.enter("switches");
  await grace.decodes(1);
  for (const control of ["toggle-mic", "toggle-camera"]) {
    const button = ada.page.getByTestId(control);
    const before = await button.getAttribute("aria-pressed");
    await button.click();
    await expect(button).not.toHaveAttribute("aria-pressed", before ?? "");
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", before ?? "");
  }
  // Both are received again.
  await grace.decodes(1);
});
