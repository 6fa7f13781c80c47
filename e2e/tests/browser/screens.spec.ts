import { statSync } from "node:fs";
import { join } from "node:path";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { shoot } from "../../support/shots.ts";
import { expect, test } from "../../support/test.ts";

const README_SHOT = join(import.meta.dirname, "../../../docs/screenshot.png");

/** `MOIM_SCREENSHOTS=1` renews the picture in the README. */
const RENEW = process.env.MOIM_SCREENSHOTS === "1";

test("screenshots of home, preview and a call of three", async ({ open }) => {
  const others: ChromiumParticipant[] = [];
  for (const name of ["Grace", "Hedy"]) {
    const person = await open(name);
    await person.enter("morning-tea");
    others.push(person);
  }
  const ada = await open("Ada");
  await ada.tab.goto(`${ada.url}/?name=Ada`);
  await expect(ada.page.getByTestId("room-item")).toHaveCount(1);
  await shoot(ada.page, "home");

  await ada.tab.click("room-item");
  await expect(ada.page.getByTestId("preview")).toBeVisible();
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
