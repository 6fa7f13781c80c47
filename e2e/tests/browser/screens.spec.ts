import { statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "@playwright/test";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { launchChromiumWith, type Portrait } from "../../support/portrait.ts";
import { createOtherAppRoom } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";
import { askWhy } from "../../support/why.ts";

const README_SHOT = join(import.meta.dirname, "../../../docs/screenshot.png");

/** `MOIM_SCREENSHOTS=1` updates the screenshot in the README. */
const UPDATES_README = process.env.MOIM_SCREENSHOTS === "1";

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
  const otherApp = await createOtherAppRoom(server.url, "화상 수업");
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
  await takeScreenshots(ada.page, "home");
  otherApp.disconnect();

  await ada.tab.click("room-item");
  await ada.waitForPreview();
  await expect(ada.page.getByTestId("join")).toBeEnabled();
  await takeScreenshots(ada.page, "preview");

  await ada.join();
  await ada.decodes(2);
  await takeScreenshots(ada.page, "call");

  if (UPDATES_README) {
    await ada.page.screenshot({ path: README_SHOT, animations: "disabled" });
    expect(statSync(README_SHOT).size).toBeLessThan(200_000);
  }
});

test("screenshots of chat, a shared screen, the speaker view and statistics", async ({ open }) => {
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
  const write = async (person: ChromiumParticipant, text: string) => {
    await person.tab.fill("chat-input", text);
    await person.tab.click("chat-send");
  };
  await write(grace, "Good morning! The agenda is at https://example.org/agenda");
  await write(ada, "안녕하세요 👋 잘 들려요.");
  await write(ada, "화면 먼저 볼까요?");
  await write(grace, "Yes, one moment.");
  await expect(ada.page.getByTestId("chat-message")).toHaveCount(4);
  await expect(hedy.page.getByTestId("chat-open")).toHaveAccessibleName(/4 new/);
  await takeScreenshots(grace.page, "chat");
  await takeScreenshots(ada.page, "chat-ko");
  await grace.tab.click("chat-open");
  await takeScreenshots(hedy.page, "unread");

  await hedy.tab.click("toggle-view");
  await takeScreenshots(hedy.page, "speaker");
  await hedy.tab.click("toggle-view");
  await hedy.tab.click("open-stats");
  await expect(hedy.page.getByTestId("stats-line").first()).toBeVisible();
  await expect(hedy.page.getByTestId("stats-picture").filter({ hasText: "fps" })).toHaveCount(3);
  await askWhy(hedy);
  await takeScreenshots(hedy.page, "stats");
  await hedy.page.keyboard.press("Escape");
  await ada.tab.click("open-stats");
  await expect(ada.page.getByTestId("stats-line").first()).toBeVisible();
  await askWhy(ada);
  await takeScreenshots(ada.page, "stats-ko");
  await ada.page.keyboard.press("Escape");

  await ada.tab.click("toggle-screen");
  await seesScreenOf(grace, ada);
  await takeScreenshots(grace.page, "screen");
  await takeScreenshots(ada.page, "screen-own-ko");
});
