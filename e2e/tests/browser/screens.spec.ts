import { statSync } from "node:fs";
import { join } from "node:path";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { drawPortrait, type Portrait } from "../../support/portrait.ts";
import { createOtherAppRoom } from "../../support/rooms.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";
import { askWhy } from "../../support/why.ts";

const README_SHOT = join(import.meta.dirname, "../../../docs/screenshot.png");

/** `MOIM_SCREENSHOTS=1` updates the screenshot in the README. */
const UPDATES_README = process.env.MOIM_SCREENSHOTS === "1";

const PORTRAITS = {
  Ada: {
    background: "room",
    hair: "long",
    hairColour: "#4a2f25",
    skin: "#f1c6a6",
    shirt: "#3f6f8f",
  },
  Grace: {
    background: "hills",
    hair: "short",
    hairColour: "#26201f",
    skin: "#c98f68",
    shirt: "#9a4b40",
    glasses: true,
  },
  Hedy: {
    background: "lights",
    hair: "curls",
    hairColour: "#3a2018",
    skin: "#8d5a3b",
    shirt: "#e0a83e",
  },
  하늘: {
    background: "room",
    hair: "bun",
    hairColour: "#1f1a1c",
    skin: "#f3d3b6",
    shirt: "#5d7f62",
    headphones: true,
  },
} as const satisfies Record<string, Portrait>;

type Name = keyof typeof PORTRAITS;

const draw = (person: ChromiumParticipant, name: Name) =>
  drawPortrait(person.page, PORTRAITS[name]);

/** Writes a message in the chat, which is open. */
async function write(person: ChromiumParticipant, text: string): Promise<void> {
  await person.tab.fill("chat-input", text);
  await person.tab.click("chat-send");
}

test("screenshots of home, preview and a call of three", async ({ open, server }) => {
  const otherApp = await createOtherAppRoom(server.url, "화상 수업");
  const others: ChromiumParticipant[] = [];
  for (const name of ["Grace", "Hedy"] as const) {
    const person = await open(name);
    await draw(person, name);
    await person.enter("morning-tea");
    others.push(person);
  }
  const ada = await open("Ada");
  await draw(ada, "Ada");
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
    test.setTimeout(300_000);
    const sky = await open("하늘");
    await draw(sky, "하늘");
    await sky.enter("morning-tea");
    others.push(sky);
    await ada.decodes(3);
    // One speaks; the others' microphones would beep.
    for (const person of [ada, ...others.slice(1)]) await person.tab.click("toggle-mic");
    for (const person of [ada, ...others]) await person.tab.click("chat-open");
    const [grace, hedy] = others as [ChromiumParticipant, ChromiumParticipant];
    await write(hedy, "Good morning! Is everybody here?");
    await write(sky, "안녕하세요, 잘 들려요.");
    await write(grace, "Morning! The agenda: https://example.org/tea");
    await write(ada, "Thank you. Shall we start?");
    await hedy.tab.click("toggle-hand");
    await expect(ada.page.getByTestId("chat-message")).toHaveCount(4);
    // Nothing covers them, and the machine has calmed down.
    await expect(ada.page.getByTestId("toast")).toHaveCount(0, { timeout: 30_000 });
    const bad = ada.page.locator('[data-quality="fair"], [data-quality="poor"]');
    await expect(bad).toHaveCount(0, { timeout: 60_000 });
    const still = ada.page.locator('[data-frames]:not([data-frames="playing"])');
    await expect(still).toHaveCount(0, { timeout: 60_000 });
    await ada.page.screenshot({ path: README_SHOT, animations: "disabled" });
    expect(statSync(README_SHOT).size).toBeLessThan(400_000);
  }
});

test("screenshots of chat, a shared screen, the speaker view and statistics", async ({ open }) => {
  const people: ChromiumParticipant[] = [];
  for (const [name, locale] of [
    ["Grace", "en-US"],
    ["Hedy", "en-US"],
    ["Ada", "ko-KR"],
  ] as const) {
    const person = await open(name, { context: { locale } });
    await draw(person, name);
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
