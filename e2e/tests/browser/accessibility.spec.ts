import { check } from "../../support/accessible.ts";
import { meetElsewhere } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

test("home, preview and call have no serious accessibility fault, light or dark", async ({
  open,
  server,
}) => {
  const elsewhere = await meetElsewhere(server.url, "elsewhere");
  const grace = await open("Grace");
  await grace.enter("axe");

  const ada = await open("Ada");
  await ada.tab.goto(`${ada.url}/?name=Ada`);
  await expect(ada.page.getByTestId("room-item")).toHaveCount(1);
  await expect(ada.page.getByTestId("room-elsewhere")).toHaveCount(1);
  await check(ada.page);

  await ada.tab.click("room-item");
  await ada.preview();
  await expect(ada.page.getByTestId("join")).toBeEnabled();
  await check(ada.page);

  await ada.join();
  await ada.decodes(1);
  await check(ada.page);
  elsewhere.disconnect();

  await ada.tab.click("chat-open");
  await ada.tab.fill("chat-input", "see https://example.org");
  await ada.tab.click("chat-send");
  await expect(ada.page.getByTestId("chat-message")).toHaveAttribute("data-status", "sent");
  await grace.tab.click("toggle-screen");
  await seesScreenOf(ada, grace);
  await check(ada.page);
  await ada.tab.click("open-stats");
  await expect(ada.page.getByTestId("stats-line")).toHaveCount(1);
  await check(ada.page);
});
