import { expect, test } from "../../support/test.ts";

test("two people make a room, see their preview, join, and see and hear each other", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.createRoom("tea");
  await expect(ada.page).toHaveURL(/\/r\/tea/);
  await ada.preview();
  await ada.join();

  const grace = await open("Grace");
  await grace.tab.goto(`${grace.url}/`);
  await grace.tab.fill("name-input", "Grace");
  await grace.page.locator('[data-testid="room-item"][data-room="tea"]').click();
  await expect(grace.page).toHaveURL(/\/r\/tea/);
  await grace.join();

  await ada.decodes(1);
  await grace.decodes(1);
  expect((await ada.others(1))[0]).toMatchObject({ name: "Grace", connection: "connected" });
  expect((await grace.others(1))[0]).toMatchObject({ name: "Ada", connection: "connected" });
});

test("the list shows a room made after the page was opened, and drops it when it is gone", async ({
  open,
}) => {
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

test("a name is remembered on the device", async ({ open }) => {
  const ada = await open("Ada");
  await ada.createRoom("memory");
  await ada.join();
  await ada.page.goto(`${ada.url}/`);
  await expect(ada.page.getByTestId("name-input")).toHaveValue("Ada");
});

test("microphone and camera switch off and on", async ({ open }) => {
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
  // Both flow again.
  await grace.decodes(1);
});
