// Acceptance check 28: the whole call by keyboard alone.

import { faultOf, focusRing } from "../../support/contrast.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { expect, test } from "../../support/test.ts";

/** Key presses that each action may take from entering the call. */
const MOST = 12;

/** Counts key presses, after each of which something in the page has the focus. */
class Keys {
  #count = 0;

  constructor(private readonly person: ChromiumParticipant) {}

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.person.page.keyboard.press(key);
      this.#count += 1;
      await expect(this.person.page.locator("body"), `after ${key}`).not.toBeFocused();
    }
  }

  /** Presses a key until something has the focus. */
  async pressUntil(key: string, testId: string): Promise<void> {
    const isThere = () =>
      this.person.page.evaluate(
        (testId) => document.activeElement?.matches(`[data-testid="${testId}"]`) ?? false,
        testId,
      );
    while (!(await isThere())) {
      expect(this.#count, `presses of ${key} to ${testId}`).toBeLessThan(MOST);
      await this.press(key);
    }
  }

  done(action: string): void {
    expect(this.#count, `presses to ${action}`).toBeLessThanOrEqual(MOST);
    this.#count = 0;
  }
}

test("every action takes twelve presses or fewer, and the focus never falls to the page", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  const keys = new Keys(ada);
  await page.goto(`${ada.url}/`);
  await expect(page.getByTestId("create-room")).toBeVisible();
  await keys.pressUntil("Tab", "name-input");
  await page.keyboard.type("Ada");
  await keys.pressUntil("Tab", "new-room-name");
  await page.keyboard.type("keys");
  await keys.pressUntil("Tab", "create-room");
  await keys.press("Enter");
  keys.done("create a room");
  await expect(page.getByTestId("join")).toBeEnabled();
  await keys.pressUntil("Tab", "join");
  await keys.press("Enter");
  await ada.ownTile();
  keys.done("join");
  const others = [];
  for (const name of ["Ben", "Cem", "Dan", "Eve"]) {
    others.push(await PaperParticipant.join(server.url, "keys", name));
  }
  await ada.remoteTiles(4);
  const pressed = (testId: string) =>
    expect(page.getByTestId(testId).first()).toHaveAttribute("aria-pressed", "true");

  await keys.press("F2");
  await expect(page.getByTestId("toggle-mic")).toBeFocused();
  await keys.press("Enter");
  await expect(page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  keys.done("mute");

  await page.getByTestId("toggle-mic").blur();
  await page.keyboard.press("F2");
  await keys.pressUntil("Tab", "toggle-screen");
  await keys.press("Enter");
  await pressed("toggle-screen");
  keys.done("share a screen");
  await keys.pressUntil("Tab", "toggle-hand");
  await keys.press("Enter");
  await pressed("toggle-hand");
  keys.done("raise a hand");
  await keys.pressUntil("Tab", "chat-open");
  await keys.press("Enter");
  await expect(page.getByTestId("chat-input")).toBeFocused();
  await keys.press("h", "i", "Enter");
  await expect(page.getByTestId("chat-message")).toHaveCount(1);
  keys.done("chat");
  await keys.press("Escape");
  await expect(page.getByTestId("chat-open")).toBeFocused();

  // From the bar to the tiles by one key, and among them by arrows.
  await keys.press("F2");
  const tiles = page.locator("#call-tiles");
  await expect(tiles.locator(":focus")).toHaveCount(1);
  await keys.press("ArrowRight");
  await keys.pressUntil("Tab", "pin");
  const name = await tiles.locator("[data-name]:has(:focus)").getAttribute("data-name");
  await keys.press("Enter");
  await expect(tiles).toHaveAttribute("data-featured", /./);
  await expect(page.locator(`[data-name="${name}"][data-large=true]`)).toHaveCount(1);
  keys.done("pin");

  // Tab goes on from the last tile to the bar, past a toast if there is one.
  await keys.press("F2", "F2");
  await expect(tiles.locator(":focus")).toHaveCount(1);
  const isAmongTiles = () => tiles.locator(":focus").count();
  while ((await isAmongTiles()) > 0) await keys.press("Tab");
  await keys.pressUntil("Tab", "toggle-mic");
  keys.done("go around by Tab");

  // Past the end of a menu it leads back to the button that opened it.
  for (const menu of ["open-camera-menu", "open-reactions"]) {
    await page.getByTestId(menu).focus();
    await keys.press("Enter");
    const inMenu = page.locator("[popover] :focus");
    await expect(inMenu).toHaveCount(1);
    while ((await inMenu.count()) > 0) await keys.press("Tab");
    await expect(page.getByTestId(menu)).toBeFocused();
    await expect(page.getByTestId(menu)).toHaveAttribute("aria-expanded", "false");
    keys.done("leave a menu");
  }
  await page.locator(`[data-name="${name}"] [data-testid=pin]`).focus();

  // Whoever has the focus leaves: it goes to another tile, not to the page.
  const leaver = others.find((other) => other.name === name);
  expect(leaver, `${name} is one of them`).toBeDefined();
  leaver?.leave();
  await ada.remoteTiles(3);
  await expect(tiles.locator(":focus")).toHaveCount(1);

  await page.getByTestId("open-people").click();
  // So it is for a menu about somebody.
  const [second] = others.filter((other) => other !== leaver);
  const row = page.locator(`[data-testid=person][data-name="${second?.name}"]`);
  await row.getByTestId("person-actions").focus();
  await keys.press("Enter");
  await expect(page.getByTestId("ask-to-unmute")).toBeFocused();
  second?.leave();
  await expect(page.getByRole("menu")).toHaveCount(0);
  await expect(page.getByTestId("people-panel").getByRole("heading", { level: 2 })).toBeFocused();

  await page.keyboard.press("F2");
  await page.keyboard.press("F2");
  await page.keyboard.press("F2");
  await expect(page.getByTestId("people-panel").getByRole("heading", { level: 2 })).toBeFocused();
  await page.keyboard.press("F2");
  await keys.pressUntil("Tab", "leave");
  await page.keyboard.press("Enter");
  keys.done("leave");
  await expect(page.getByTestId("call")).toHaveCount(0);
  for (const other of others) other.leave();
});

test("a key opens each menu at its first choice, and Escape leads back", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  const { page } = ada;
  await ada.enter("menus");
  const others = [];
  for (const name of ["Ben", "Cem"]) {
    others.push(await PaperParticipant.join(server.url, "menus", name));
  }
  await ada.remoteTiles(2);
  await page.getByTestId("open-people").click();
  const menus = [
    "open-more",
    "open-mic-menu",
    "open-camera-menu",
    "open-reactions",
    "open-layout",
    "person-actions",
  ];
  for (const menu of menus) {
    const button = page.getByTestId(menu).first();
    for (const key of ["Enter", "Space", "ArrowDown"]) {
      await button.focus();
      await page.keyboard.press(key);
      const focused = page.locator(":is([popover], [role=menu]) :focus");
      await expect(focused, `${menu} by ${key}`).toHaveCount(1);
      const isFirst = await focused.evaluate((element) => {
        const menu = element.closest("[popover], [role=menu]");
        const choices = menu?.querySelectorAll("[role=menuitem], input, select, button") ?? [];
        const [first] = [...choices].filter((choice) => choice.checkVisibility());
        const isOfGroup =
          element instanceof HTMLInputElement &&
          first instanceof HTMLInputElement &&
          element.checked &&
          element.name === first.name;
        return element === first || isOfGroup;
      });
      expect(isFirst, `${menu} by ${key}`).toBe(true);
      expect(faultOf(await focusRing(ada.tab)), `${menu} by ${key}`).toBeNull();
      await page.keyboard.press("Escape");
      await expect(button, `${menu} after Escape`).toBeFocused();
      await expect(button).toHaveAttribute("aria-expanded", "false");
    }
  }
  // Up leads to the last one.
  await page.getByTestId("open-more").focus();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("menuitem").last()).toBeFocused();
  await page.keyboard.press("Escape");
  for (const other of others) other.leave();
});
