import { statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "@playwright/test";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { launchChromiumWith, type Portrait } from "../../support/portrait.ts";
import { meetElsewhere } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { shoot } from "../../support/shots.ts";
import { expect, test } from "../../support/test.ts";

const README_SHOT = join(import.meta.dirname, "../../../docs/screenshot.png");

/** `MOIM_SCREENSHOTS=1` renews the picture in the README. */
const RENEW = process.env.MOIM_SCREENSHOTS === "1";

const PORTRAITS: Record<string, Portrait> = {
  Ada: {
    wall: [214, 226, 220],
    hair: [58, 40, 32],
    skin: [232, 190, 160],
    shirt: [70, 104, 132],
    longHair: true,
  },
  Grace: {
    wall: [238, 222, 200],
    hair: [36, 32, 36],
    skin: [196, 144, 108],
    shirt: [148, 74, 66],
    longHair: false,
  },
  Hedy: {
    wall: [206, 214, 232],
    hair: [168, 112, 60],
    skin: [240, 204, 180],
    shirt: [88, 120, 84],
    longHair: true,
  },
};

const browsers = new Map<string, Browser>();

test.beforeAll(async () => {
  for (const [name, portrait] of Object.entries(PORTRAITS)) {
    browsers.set(name, await launchChromiumWith(portrait));
  }
});

test.afterAll(async () => {
  for (const browser of browsers.values()) await browser.close();
});

test("screenshots of home, preview and a call of three", async ({ open, server }) => {
  const elsewhere = await meetElsewhere(server.url, "화상 수업");
  const others: ChromiumParticipant[] = [];
  for (const name of ["Grace", "Hedy"]) {
    const person = await open(name, { browser: browsers.get(name) });
    await person.enter("morning-tea");
    others.push(person);
  }
  const ada = await open("Ada", { browser: browsers.get("Ada") });
  await ada.tab.goto(`${ada.url}/?name=Ada`);
  await expect(ada.page.getByTestId("room-item")).toHaveCount(1);
  await expect(ada.page.getByTestId("room-elsewhere")).toHaveCount(1);
  await shoot(ada.page, "home");
  elsewhere.disconnect();

  await ada.tab.click("room-item");
  await ada.preview();
  await expect(ada.page.getByTestId("join")).toBeEnabled();
  await shoot(ada.page, "preview");

  await ada.join();
  await ada.decodes(2);
  await shoot(ada.page, "call");

  if (RENEW) {
    await ada.page.screenshot({ path: README_SHOT, animations: "disabled" });
    expect(statSync(README_SHOT).size).toBeLessThan(200_000);
  }
});

test("screenshots of chat, a shared screen, the speaker view and the numbers", async ({ open }) => {
  const people: ChromiumParticipant[] = [];
  for (const [name, locale] of [
    ["Grace", "en-US"],
    ["Hedy", "en-US"],
    ["Ada", "ko-KR"],
  ] as const) {
    const person = await open(name, { browser: browsers.get(name), context: { locale } });
    await person.enter("morning-tea");
    people.push(person);
  }
  const [grace, hedy, ada] = people as [
    ChromiumParticipant,
    ChromiumParticipant,
    ChromiumParticipant,
  ];
  await grace.decodes(2);
  await ada.decodes(2);

  for (const person of [ada, grace]) await person.tab.click("chat-open");
  const says = async (person: ChromiumParticipant, text: string) => {
    await person.tab.fill("chat-input", text);
    await person.tab.click("chat-send");
  };
  await says(grace, "Good morning! The agenda is at https://example.org/agenda");
  await says(ada, "안녕하세요 👋 잘 들려요.");
  await says(ada, "화면 먼저 볼까요?");
  await says(grace, "Yes, one moment.");
  await expect(ada.page.getByTestId("chat-message")).toHaveCount(4);
  await expect(hedy.page.getByTestId("chat-open")).toHaveAccessibleName(/4 new/);
  await shoot(grace.page, "chat");
  await shoot(ada.page, "chat-ko");
  await grace.tab.click("chat-open");
  await shoot(hedy.page, "unread");

  await hedy.tab.click("toggle-view");
  await shoot(hedy.page, "speaker");
  await hedy.tab.click("toggle-view");
  await hedy.tab.click("open-stats");
  await expect(hedy.page.getByTestId("stats-line").first()).toBeVisible();
  await expect(hedy.page.getByTestId("stats-picture").filter({ hasText: "fps" })).toHaveCount(3);
  await shoot(hedy.page, "stats");
  await hedy.page.keyboard.press("Escape");
  await ada.tab.click("open-stats");
  await expect(ada.page.getByTestId("stats-line").first()).toBeVisible();
  await shoot(ada.page, "stats-ko");
  await ada.page.keyboard.press("Escape");

  await ada.tab.click("toggle-screen");
  await seesScreenOf(grace, ada);
  await shoot(grace.page, "screen");
  await shoot(ada.page, "screen-own-ko");
});
