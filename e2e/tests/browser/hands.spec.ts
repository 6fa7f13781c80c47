// Acceptance check 21: raised hands have one order on all screens, and their owners and hosts lower
// them everywhere.

import { en } from "../../../web/src/ui/i18n/en.ts";
import { ko } from "../../../web/src/ui/i18n/ko.ts";
import { expectAccessible } from "../../support/accessibility.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { PaperParticipant } from "../../support/people.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { listen, spoken } from "../../support/spoken.ts";
import { expect, test } from "../../support/test.ts";

/** Raised hands as a screen shows them: by the list of people, in its order, and by the tiles. */
async function hands({ page }: ChromiumParticipant): Promise<{ list: string[]; tiles: string[] }> {
  const list = await page.getByTestId("person").evaluateAll((rows) =>
    rows.flatMap((row) => {
      const place = row.querySelector("[data-testid=person-hand]")?.textContent;
      return place ? [`${place} ${row.getAttribute("data-name")}`] : [];
    }),
  );
  const tiles = await page.getByTestId("tile").evaluateAll((tiles) =>
    tiles.flatMap((tile) => {
      const place = tile.querySelector("[data-testid=tile-hand]")?.textContent;
      return place ? [`${place} ${tile.getAttribute("data-name")}`] : [];
    }),
  );
  return { list, tiles: tiles.sort() };
}

test("raised hands have one order on all screens, and go everywhere when their owner or a host lowers them", async ({
  open,
  server,
}) => {
  const hana = await open("Hana", { context: { locale: "ko-KR" } });
  const ben = await open("Ben");
  const cho = await open("Cho");
  const screens = [hana, ben, cho];
  for (const person of screens) {
    await person.enter("hands");
    await person.page.getByTestId("open-people").click();
  }
  const dan = await PaperParticipant.join(server.url, "hands", "Dan");
  for (const person of screens) await person.remoteTiles(3);
  const own = (person: ChromiumParticipant) => person.page.getByTestId("toggle-hand");
  const expectHands = async (...names: string[]) => {
    const list = names.map((name, i) => `${i + 1} ${name}`);
    for (const person of screens) {
      await expect.poll(() => hands(person), person.name).toEqual({ list, tiles: list });
    }
  };
  const lower = (name: string) =>
    hana.page.locator(`[data-testid=person][data-name=${name}]`).getByTestId("lower-hand");
  const lowerAll = hana.page.getByTestId("lower-all-hands");

  // In the order in which they were raised, which is not that of joining.
  await own(cho).click();
  await expectHands("Cho");
  await expect(lowerAll).toHaveCount(0);
  await dan.raiseHand(true);
  await expectHands("Cho", "Dan");
  await own(ben).click();
  await expectHands("Cho", "Dan", "Ben");
  await takeScreenshots(hana.page, "people-hands");
  await expectAccessible(hana.page);
  for (const person of [ben, cho]) {
    await expect(person.page.getByTestId("lower-hand")).toHaveCount(0);
    await expect(person.page.getByTestId("lower-all-hands")).toHaveCount(0);
  }

  // By its owner.
  await own(cho).click();
  await expectHands("Dan", "Ben");

  // By the host, with the keyboard: the focus stays with the person.
  await Promise.all(screens.map(listen));
  const { keyboard } = hana.page;
  await hana.page.getByTestId("people-panel").getByRole("heading", { level: 2 }).focus();
  await expect(lower("Ben")).toHaveAccessibleName(ko.people.lowerHand("Ben"));
  for (let presses = 0; presses < 12; presses++) {
    await keyboard.press("Tab");
    if (await lower("Ben").evaluate((button) => button === document.activeElement)) break;
  }
  await expect(lower("Ben")).toBeFocused();
  await keyboard.press("Enter");
  await expectHands("Dan");
  await expect(own(ben)).toHaveAttribute("aria-pressed", "false");
  const bensActions = hana.page.locator("[data-testid=person][data-name=Ben] button");
  await expect(bensActions).toHaveCount(1);
  await expect(bensActions).toBeFocused();
  const told = async (person: ChromiumParticipant) =>
    (await spoken(person)).map(({ text }) => text).filter((text) => text.includes("lowered"));
  const lowered = en.people.loweredHand("Hana");
  await expect.poll(() => told(ben)).toEqual([lowered]);
  await expect(ben.page.getByTestId("toast").filter({ hasText: lowered })).toHaveCount(1);
  await takeScreenshots(ben.page, "hand-lowered");

  // He may raise it again, and is the last one then.
  await own(ben).click();
  await expectHands("Dan", "Ben");
  await own(hana).click();
  await expectHands("Dan", "Ben", "Hana");

  // All at once, the host's own among them.
  await lowerAll.click();
  await expectHands();
  for (const person of [hana, ben]) {
    await expect(own(person)).toHaveAttribute("aria-pressed", "false");
  }
  await expect(lowerAll).toHaveCount(0);
  await expect.poll(() => told(ben)).toEqual([lowered, lowered]);
  // Nobody else is told so.
  expect(await told(cho)).toEqual([]);
  const says = ko.people.loweredHand("").trim();
  expect((await spoken(hana)).filter(({ text }) => text.includes(says))).toEqual([]);
  dan.leave();
});
