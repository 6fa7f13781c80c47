// Acceptance check 16, of two rooms: a microphone is not heard in two calls without a question.

import { ko } from "../../../web/src/ui/i18n/ko.ts";
import { expectAccessible } from "../../support/accessibility.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";

test("a tab that would open the microphone in a second call asks, and mutes one of the two", async ({
  open,
}) => {
  const ada = await open("Ada", { context: { locale: "ko-KR" } });
  await ada.enter("tea");
  const first = ada.page.getByTestId("toggle-mic");
  await expect(first).toHaveAttribute("aria-pressed", "true");

  const second = await ada.page.context().newPage();
  await second.goto(ada.roomUrl("coffee"));
  const question = second.getByTestId("elsewhere");
  await expect(question).toContainText(ko.elsewhere.otherCall("tea"));
  await expect(question).toContainText(ko.elsewhere.otherCallHint);
  await expect(second.getByTestId("tile")).toHaveCount(0);
  await takeScreenshots(second, "two-calls");
  await expectAccessible(second);
  await second.getByTestId("move-here").click();
  await expect(second.getByTestId("tile")).toHaveCount(1);
  const microphone = second.getByTestId("toggle-mic");
  await expect(microphone).toHaveAttribute("aria-pressed", "true");
  // The first call goes on, muted.
  await expect(first).toHaveAttribute("aria-pressed", "false");
  await expect(ada.page.getByTestId("tile")).toHaveCount(1);

  // The other way round, and muted here.
  await second.getByTestId("leave").click();
  await expect(second.getByTestId("left")).toBeVisible();
  await first.click();
  await expect(first).toHaveAttribute("aria-pressed", "true");
  await second.getByTestId("join-again").click();
  await second.getByTestId("join-second").click();
  await expect(second.getByTestId("tile")).toHaveCount(1);
  await expect(microphone).toHaveAttribute("aria-pressed", "false");
  await expect(first).toHaveAttribute("aria-pressed", "true");

  // Nothing is asked once the first is muted.
  await second.getByTestId("leave").click();
  await first.click();
  await expect(first).toHaveAttribute("aria-pressed", "false");
  await second.goto(ada.roomUrl("coffee"));
  await expect(second.getByTestId("tile")).toHaveCount(1);
  await expect(question).toHaveCount(0);
  await second.goto(ada.previewUrl("cake"));
  await expect(second.getByTestId("join")).toBeVisible();
  await second.getByTestId("join").click();
  await expect(second.getByTestId("tile")).toHaveCount(1);
  await second.close();
});
