import { expectAccessible } from "../../support/accessibility.ts";
import { createOtherAppRoom } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";
import { askWhy } from "../../support/why.ts";

test("home, preview and call have no serious accessibility violation, light or dark", async ({
  open,
  server,
}) => {
  const otherApp = await createOtherAppRoom(server.url, "other-app");
  const grace = await open("Grace");
  await grace.enter("axe");

  const ada = await open("Ada");
  await ada.tab.goto(`${ada.url}/?name=Ada`);
  await expect(ada.page.getByTestId("room-item")).toHaveCount(1);
  await expect(ada.page.getByTestId("room-elsewhere")).toHaveCount(1);
  await expectAccessible(ada.page);

  await ada.tab.click("room-item");
  await ada.waitForPreview();
  await expect(ada.page.getByTestId("join")).toBeEnabled();
  await expectAccessible(ada.page);

  await ada.join();
  await ada.decodes(1);
  await expectAccessible(ada.page);
  otherApp.disconnect();

  await ada.tab.click("chat-open");
  await ada.tab.fill("chat-input", "see https://example.org");
  await ada.tab.click("chat-send");
  await expect(ada.page.getByTestId("chat-message")).toHaveAttribute("data-status", "sent");
  await grace.tab.click("toggle-screen");
  await seesScreenOf(ada, grace);
  await expectAccessible(ada.page);
  await ada.tab.click("open-stats");
  await expect(ada.page.getByTestId("stats-line")).toHaveCount(1);
  await askWhy(ada);
  await expectAccessible(ada.page);
});
