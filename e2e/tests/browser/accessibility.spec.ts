import { expectAccessible, expectFaultless } from "../../support/accessibility.ts";
import { PaperParticipant } from "../../support/people.ts";
import { createOtherAppRoom } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";
import { askWhy } from "../../support/why.ts";

test("home, preview and call have no accessibility violation, light or dark", async ({
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

test("panels, menus, sheets and settings have no violation at all, and keys lead through them", async ({
  open,
  server,
}) => {
  // Contrast is measured, so nothing may be on its way to its colour.
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  const press = (key: string) => page.keyboard.press(key);
  await ada.enter("open");
  const grace = await PaperParticipant.join(server.url, "open", "Grace");
  await ada.remoteTiles(1);

  await press("F2");
  await expect(page.getByTestId("toggle-mic")).toBeFocused();
  for (const menu of ["open-mic-menu", "open-camera-menu", "open-reactions", "open-more"]) {
    await page.getByTestId(menu).focus();
    await press("Enter");
    await expect(page.getByTestId(menu)).toHaveAttribute("aria-expanded", "true");
    await expectFaultless(page, menu);
    await press("Escape");
    await expect(page.getByTestId(menu)).toBeFocused();
  }

  const panels = { "chat-open": "chat", "open-people": "people-panel", "open-info": "info" };
  for (const [opener, panel] of Object.entries(panels)) {
    await page.getByTestId(opener).click();
    await expect(page.getByTestId(panel)).toBeVisible();
    await expectFaultless(page, panel);
  }
  await page.getByTestId("open-people").click();
  const actions = page.getByTestId("person-actions");
  await actions.focus();
  await press("Enter");
  await expect(page.getByTestId("ask-to-unmute")).toBeFocused();
  await expectFaultless(page, "actions");
  await page.emulateMedia({ forcedColors: "active" });
  await expectFaultless(page, "actions, forced colours");
  await page.emulateMedia({ forcedColors: null });
  await press("Escape");
  await expect(actions).toBeFocused();
  await press("Enter");
  await press("End");
  await expect(page.getByTestId("remove")).toBeFocused();
  await press("Enter");
  await expect(page.getByTestId("remove-confirm")).toBeFocused();
  await expectFaultless(page, "question");
  await press("Shift+Tab");
  await press("Enter");
  await expect(page.getByTestId("remove-confirm")).toHaveCount(0);
  await expect(actions).toBeFocused();
  await page.getByTestId("open-info").click();

  // One at a time, and the last one is open again after a reload.
  await expect(page.getByRole("complementary")).toHaveCount(1);
  await page.reload();
  await expect(page.getByTestId("info")).toBeVisible();
  await page.getByTestId("resize-panel").focus();
  const width = async () => (await page.getByTestId("info").boundingBox())?.width;
  const before = (await width()) ?? 0;
  await press("ArrowLeft");
  await expect.poll(width).toBe(before + 20);
  await press("Escape");
  await expect(page.getByTestId("info")).toHaveCount(0);
  await expect(page.locator("body")).not.toBeFocused();

  await press("?");
  await expect(page.getByTestId("shortcuts")).toBeVisible();
  await page.emulateMedia({ forcedColors: "active" });
  await expectFaultless(page, "shortcuts, forced colours");
  await page.emulateMedia({ forcedColors: null });
  for (const tab of ["media", "notices", "access", "language"]) {
    await page.getByTestId(`settings-${tab}`).click();
    await expectFaultless(page, tab);
  }
  await page.getByTestId("settings-access").click();
  await page.getByTestId("theme-dark").click();
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await expect.poll(ground).toBe("dark");
  await expectFaultless(page, "dark by choice");
  await press("Escape");
  await expect(page.getByTestId("settings")).toHaveCount(0);

  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByTestId("open-more").click();
  await expect(page.getByTestId("more")).toBeVisible();
  await expectFaultless(page, "sheet");
  grace.leave();
});
