import { statSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "@playwright/test";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { launchChromiumWith, type Portrait } from "../../support/portrait.ts";
import { meetElsewhere } from "../../support/rooms.ts";
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
