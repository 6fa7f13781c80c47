// Acceptance check 30: what a screen reader reads of a lively call, and what moves for people who
// want less movement.

import type { Page } from "@playwright/test";
import { en } from "../../../web/src/ui/i18n/en.ts";
import { ko } from "../../../web/src/ui/i18n/ko.ts";
import { PaperParticipant } from "../../support/people.ts";
import { listen, spoken } from "../../support/spoken.ts";
import { expect, test } from "../../support/test.ts";

for (const [locale, texts] of [
  ["en-US", en],
  ["ko-KR", ko],
] as const)
  test(`a lively call is read one short sentence a second, joins together, and nothing twice (${locale})`, async ({
    open,
    server,
  }) => {
    const { announcements } = texts;
    const eveLeft = announcements.left("Eve");
    // The same word ends the sentence about one and about several.
    const joined = announcements.joined("Ben").split(" ").at(-1) ?? "";
    const ada = await open("Ada", { context: { locale } });
    const { page } = ada;
    await ada.enter("lively");
    await listen(ada);
    const join = (name: string) => PaperParticipant.join(server.url, "lively", name);
    const papers = await Promise.all(
      ["Ben", "Cem", "Dan", "Eve", "Fay", "Gus", "Hal", "W".repeat(64)].map(join),
    );
    await ada.remoteTiles(papers.length);
    const [ben, cem, dan, eve] = papers as [
      PaperParticipant,
      PaperParticipant,
      PaperParticipant,
      PaperParticipant,
    ];
    await expect
      .poll(async () => (await spoken(ada)).filter(({ text }) => text.endsWith(joined)).length)
      .toBeGreaterThan(0);
    await Promise.all([
      ben.write("A long message. ".repeat(120)),
      cem.write("Hello everybody"),
      dan.raiseHand(true),
      eve.send("reaction", { emoji: "🎉" }),
      ben.send("reaction", { emoji: "👍" }),
    ]);
    await expect.poll(async () => JSON.stringify(await spoken(ada))).toContain("Hello everybody");
    eve.leave();
    await expect.poll(async () => JSON.stringify(await spoken(ada))).toContain(eveLeft);

    const sentences = await spoken(ada);
    const said = sentences.map(({ text }) => text);
    const announced = sentences.filter(({ region }) => region === "announcer");
    for (const [i, { text, at }] of announced.entries()) {
      expect([...text].length, text).toBeLessThanOrEqual(120);
      const before = announced[i - 1]?.at ?? Number.NEGATIVE_INFINITY;
      // Timers of a page may be early by a few milliseconds.
      expect(at - before, text).toBeGreaterThanOrEqual(990);
    }
    expect(said.filter((text) => text.endsWith(joined)).length).toBeLessThanOrEqual(2);
    expect(said.filter((text, i) => said.indexOf(text) !== i)).toEqual([]);
    // His name alone may stand in the sentence about those who joined, too.
    const danRaised = announcements.raisedHand("Dan");
    for (const part of ["A long message", "Hello everybody", danRaised, eveLeft]) {
      expect(said.filter((text) => text.includes(part)).length, part).toBe(1);
    }

    // In an open chat the log is read, and the announcer leaves it to that.
    await page.getByTestId("chat-open").click();
    await cem.write("Read by the log");
    await expect.poll(async () => JSON.stringify(await spoken(ada))).toContain("Read by the log");
    await dan.raiseHand(false);
    await dan.raiseHand(true);
    await expect.poll(async () => (await spoken(ada)).at(-1)?.text).toContain("Dan");
    const regions = (await spoken(ada)).filter(({ text }) => text.includes("Read by the log"));
    expect(regions.map(({ region }) => region)).toEqual(["log"]);
    for (const paper of papers) paper.leave();
  });

interface Movement {
  element: string;
  properties: string[];
}

/** Begins to record what animations change besides opacity and colours. */
async function watchMovement(page: Page): Promise<() => Promise<Movement[]>> {
  await page.evaluate(() => {
    const seen = new WeakSet<Animation>();
    const moved: Movement[] = [];
    Object.assign(window, { moved });
    const STILL =
      /opacity|color|fill|shadow|visibility|^(offset|computedOffset|easing|composite)$/i;
    const look = () => {
      for (const animation of document.getAnimations()) {
        const { effect } = animation;
        if (seen.has(animation) || !(effect instanceof KeyframeEffect)) continue;
        seen.add(animation);
        // What takes no time is no movement.
        if (Number(effect.getComputedTiming().duration) <= 10) continue;
        const properties = new Set(effect.getKeyframes().flatMap((frame) => Object.keys(frame)));
        const moving = [...properties].filter((property) => !STILL.test(property));
        if (moving.length === 0) continue;
        moved.push({
          element: `${effect.target?.className} ${effect.pseudoElement ?? ""}`,
          properties: moving,
        });
      }
      requestAnimationFrame(look);
    };
    look();
  });
  return () => page.evaluate(() => (window as unknown as { moved: Movement[] }).moved);
}

test("with reduced movement nothing moves, from the lobby to the end of a call", async ({
  open,
  server,
}) => {
  const seen: Record<string, Movement[]> = {};
  for (const reducedMotion of ["no-preference", "reduce"] as const) {
    const room = `motion-${reducedMotion}`;
    const ada = await open("Ada", { context: { reducedMotion } });
    const { page } = ada;
    await ada.openPreview(room);
    const movement = await watchMovement(page);
    await ada.join();
    const papers = [];
    for (const name of ["Ben", "Cem", "Dan"]) {
      papers.push(await PaperParticipant.join(server.url, room, name));
    }
    await ada.remoteTiles(3);
    const grace = await open("Grace");
    await grace.enter(room);
    await ada.remoteTiles(4);
    await papers[0]?.write("Hello");
    await expect(page.getByTestId("toast").last()).toBeVisible();
    await papers[1]?.send("reaction", { emoji: "🎉" });
    await expect(page.getByTestId("reaction")).toHaveText("🎉");
    for (const menu of ["open-mic-menu", "open-reactions", "open-more", "open-layout"]) {
      await page.getByTestId(menu).click();
      await expect(page.getByTestId(menu)).toHaveAttribute("aria-expanded", "true");
      await page.keyboard.press("Escape");
    }
    await page.getByTestId("toggle-view").click();
    await page.getByTestId("open-people").click();
    await page.getByTestId("chat-open").click();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await expect(page.getByTestId("settings")).toBeVisible();
    await page.getByTestId("settings-notices").click();
    await page.getByTestId("settings").getByRole("switch").first().click({ force: true });
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByTestId("open-more").click();
    await expect(page.getByTestId("more")).toBeVisible();
    await page.keyboard.press("Escape");
    seen[reducedMotion] = await movement();
    await page.getByTestId("leave").click();
    await expect(page.getByTestId("left")).toBeVisible();
    for (const paper of papers) paper.leave();
    await grace.tab.click("leave");
  }
  expect(seen["no-preference"]?.length).toBeGreaterThan(3);
  expect(seen.reduce).toEqual([]);
});
