// The stage of a call with many people: pages, layouts, and who speaks.

import type { Page } from "@playwright/test";
import { PaperParticipant } from "../../support/people.ts";
import { createRoom } from "../../support/rooms.ts";
import { expect, test } from "../../support/test.ts";

/** Names and boxes of the tiles in sight, in the order of the document. */
const inSight = (page: Page) =>
  page.evaluate(() => {
    const stage = document.querySelector("[data-testid=tile]")?.closest("ul")?.parentElement;
    const edge = stage?.getBoundingClientRect() ?? new DOMRect();
    return [...document.querySelectorAll<HTMLElement>("[data-testid=tile]")].flatMap((tile) => {
      const { x, y, width, height } = tile.getBoundingClientRect();
      const isInside = x < edge.right && x + width > edge.x && y < edge.bottom;
      const isShown = isInside && getComputedStyle(tile).visibility === "visible";
      return isShown ? [{ name: tile.dataset.name ?? "", x, y, width, height }] : [];
    });
  });

async function choose(page: Page, ...testIds: string[]): Promise<void> {
  await page.getByTestId("open-layout").click();
  for (const testId of testIds) await page.getByTestId(testId).click();
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("open-layout")).toBeFocused();
}

test("31 people are on pages, whoever speaks comes into sight, and layouts can be chosen", async ({
  open,
  server,
}) => {
  await createRoom(server.url, { name: "many", capacity: 40 });
  const ada = await open("Ada", { context: { reducedMotion: "reduce" } });
  const { page } = ada;
  await ada.enter("many");
  const papers: PaperParticipant[] = [];
  for (let i = 1; i <= 29; i++) {
    papers.push(await PaperParticipant.join(server.url, "many", `Person ${i}`));
  }
  const grace = await open("Grace");
  await grace.tab.goto(grace.roomUrl("many"));
  await grace.tab.click("toggle-mic");
  await ada.remoteTiles(30);

  await page.setViewportSize({ width: 390, height: 844 });
  const names = async () => (await inSight(page)).map(({ name }) => name);
  await expect(page.getByTestId("page")).toHaveText(/^1 of [45]$/);
  const first = await names();
  expect(first.length).toBeGreaterThanOrEqual(6);
  expect(first).toEqual([...first.slice(0, -1).map((_, i) => `Person ${i + 1}`), "Ada"]);
  await page.getByTestId("next-page").click();
  const second = await names();
  expect(second).toContain("Ada");
  expect(second.filter((name) => first.includes(name))).toEqual(["Ada"]);
  await page.keyboard.press("PageUp");
  await expect.poll(names).toEqual(first);

  // The fake microphone beeps: she takes the place of one of them, and the others stay.
  await grace.tab.click("toggle-mic");
  const speaks = page.locator('[data-testid="tile"][data-name="Grace"][data-speaking="true"]');
  await expect(speaks).toHaveCount(1);
  await expect.poll(names, { timeout: 1_000 }).toContain("Grace");
  const now = await names();
  expect(now.filter((name) => !first.includes(name))).toEqual(["Grace"]);
  expect(now).toHaveLength(first.length);

  await page.setViewportSize({ width: 1280, height: 800 });
  await choose(page, "view-side");
  const large = page.locator('[data-testid="tile"][data-large="true"]');
  await expect(large).toHaveAttribute("data-name", "Grace");
  const half = await large.boundingBox();
  expect(half?.width).toBeLessThan(640);
  expect(half?.height).toBeGreaterThan(500);

  await choose(page, "view-speaker");
  for (const { width } of await inSight(page)) expect(width).toBeGreaterThanOrEqual(140);
  await expect(page.getByTestId("toggle-view")).toHaveAttribute("aria-pressed", "true");

  await choose(page, "view-grid", "hide-cameraless");
  await expect.poll(names).toEqual(["Grace", "Ada"]);
  await expect(page.getByTestId("show-cameraless")).toHaveText("29 without camera");
  // They are still heard: their tiles play the sound.
  await ada.remoteTiles(30);
  await page.getByTestId("show-cameraless").click();
  await expect.poll(async () => (await names()).length).toBeGreaterThan(20);

  await choose(page, "self-floating");
  const own = (await inSight(page)).find(({ name }) => name === "Ada");
  expect(own?.x).toBeGreaterThan(900);
  await choose(page, "self-hidden");
  await expect.poll(names).not.toContain("Ada");
  await page.getByTestId("show-self").click();
  await expect.poll(names).toContain("Ada");
  for (const paper of papers) paper.leave();
});
