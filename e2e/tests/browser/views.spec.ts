import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";
import { askWhy } from "../../support/why.ts";

const largeTile = (person: ChromiumParticipant) =>
  person.page.locator('[data-testid="tile"][data-large="true"]');

test("the speaker view shows the speaker large, and a pinned tile takes precedence", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const hedy = await open("Hedy");
  for (const person of [ada, grace, hedy]) await person.enter("views");
  await ada.decodes(2);
  await expect(largeTile(ada)).toHaveCount(0);

  // The browser's fake microphone beeps, so the unmuted participant is the speaker.
  await grace.tab.click("toggle-mic");
  await ada.tab.click("toggle-view");
  await expect(largeTile(ada)).toHaveAttribute("data-name", "Hedy");
  await grace.tab.click("toggle-mic");
  await hedy.tab.click("toggle-mic");
  await expect(largeTile(ada)).toHaveAttribute("data-name", "Grace");

  await ada.page.getByRole("button", { name: "Pin Ada" }).click();
  await expect(largeTile(ada)).toHaveAttribute("data-name", "Ada");
  await ada.page.getByRole("button", { name: "Unpin" }).click();
  await expect(largeTile(ada)).toHaveAttribute("data-name", "Grace");

  await ada.tab.click("toggle-view");
  await expect(largeTile(ada)).toHaveCount(0);
});

test("statistics show bitrates, paths, codecs and graphs", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("numbers");
  await grace.enter("numbers");
  await ada.decodes(1);
  await ada.tab.click("open-stats");
  const link = ada.page.getByTestId("stats-line");
  await expect(link).toHaveCount(1);
  await expect(link).toContainText("Directly with Grace");
  await expect(link).toContainText(/(host|prflx)\/udp ⇄ (host|prflx)\/udp/);
  await expect(link).toContainText("VP8");
  await expect(link).toContainText(/\d+×\d+ · \d+ fps/);
  await expect(ada.page.getByTestId("stats").locator("polyline")).toHaveCount(4);

  // A machine that is busy with tests may be late with everything, but loses nothing.
  const { codes, text } = await askWhy(ada);
  for (const code of codes) expect(code).not.toMatch(/^(UDP|TLS|LINE-LOSS)/);
  if (codes.length === 0) expect(text).toContain("Your connection was fine");
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByTestId("stats")).toHaveCount(0);
});
