import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

const large = (person: ChromiumParticipant) =>
  person.page.locator('[data-testid="tile"][data-large="true"]');

test("who speaks is shown large in the speaker view, and whoever one pins before all", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const hedy = await open("Hedy");
  for (const person of [ada, grace, hedy]) await person.enter("views");
  await ada.decodes(2);
  await expect(large(ada)).toHaveCount(0);

  // The browser's fake microphone beeps, so who has one on is who speaks.
  await grace.tab.click("toggle-mic");
  await ada.tab.click("toggle-view");
  await expect(large(ada)).toHaveAttribute("data-name", "Hedy");
  await grace.tab.click("toggle-mic");
  await hedy.tab.click("toggle-mic");
  await expect(large(ada)).toHaveAttribute("data-name", "Grace");

  await ada.page.getByRole("button", { name: "Pin Ada" }).click();
  await expect(large(ada)).toHaveAttribute("data-name", "Ada");
  await ada.page.getByRole("button", { name: "Unpin" }).click();
  await expect(large(ada)).toHaveAttribute("data-name", "Grace");

  await ada.tab.click("toggle-view");
  await expect(large(ada)).toHaveCount(0);
});

test("the numbers of a call are shown: rates, paths, codecs, and how they went", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("numbers");
  await grace.enter("numbers");
  await ada.decodes(1);
  await ada.tab.click("open-stats");
  const line = ada.page.getByTestId("stats-line");
  await expect(line).toHaveCount(1);
  await expect(line).toContainText("Directly with Grace");
  await expect(line).toContainText(/(host|prflx)\/udp ⇄ (host|prflx)\/udp/);
  await expect(line).toContainText("VP8");
  await expect(line).toContainText(/\d+×\d+ · \d+ fps/);
  await expect(ada.page.getByTestId("stats").locator("polyline")).toHaveCount(4);
  await ada.page.keyboard.press("Escape");
  await expect(ada.page.getByTestId("stats")).toHaveCount(0);
});

test("every control is whole on a phone lying down", async ({ open }) => {
  const ada = await open("Ada");
  await ada.enter("lying");
  const controls = ada.page.getByRole("group", { name: "Call controls" }).getByRole("button");
  await expect(controls).toHaveCount(7);
  for (const [width, height] of [
    [844, 390],
    [740, 360],
    [568, 320],
  ] as const) {
    await ada.page.setViewportSize({ width, height });
    for (const control of await controls.all()) {
      await expect(control).toBeInViewport({ ratio: 1 });
    }
  }
});
