// The system pauses every video of a page, as iOS does for a phone call.

import type { ChromiumParticipant } from "../../support/participant.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

/** Pauses all, and counts those that were playing. */
const pauseAll = () => {
  const playing = [...document.querySelectorAll("video")].filter(({ paused }) => !paused);
  for (const video of playing) video.pause();
  return playing.length;
};

const playingOf = (person: ChromiumParticipant) =>
  person.page.evaluate(() =>
    [...document.querySelectorAll("video")].map(({ paused, muted }) =>
      paused ? "paused" : muted ? "muted" : "heard",
    ),
  );

/** The page believes itself hidden, or visible again. */
const setVisibility = (person: ChromiumParticipant, state: DocumentVisibilityState) =>
  person.page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

test("videos that the system paused play again, tiles and screens alike, when they may", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("paused");
  await grace.enter("paused");
  await grace.tab.click("toggle-screen");
  await seesScreenOf(ada, grace);
  await ada.decodes(1);
  // Their face, their screen, and oneself.
  const all = ["heard", "heard", "muted"];
  await expect.poll(() => playingOf(ada)).toEqual(all);

  // At once, where the page is in sight.
  expect(await ada.page.evaluate(pauseAll)).toBe(3);
  await expect.poll(() => playingOf(ada)).toEqual(all);
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);

  // When it comes back into sight.
  await setVisibility(ada, "hidden");
  expect(await ada.page.evaluate(pauseAll)).toBe(3);
  expect(await playingOf(ada)).toEqual(["paused", "paused", "paused"]);
  await setVisibility(ada, "visible");
  await expect.poll(() => playingOf(ada)).toEqual(all);

  // By one tap anywhere, where the browser refuses until then.
  await ada.page.evaluate(() => {
    const { prototype } = HTMLMediaElement;
    const real = prototype.play;
    let isRefused = true;
    prototype.play = function play() {
      if (!isRefused) return real.call(this);
      return Promise.reject(new DOMException("as this test has it", "NotAllowedError"));
    };
    addEventListener("pointerdown", () => {
      isRefused = false;
    });
  });
  await setVisibility(ada, "hidden");
  await ada.page.evaluate(pauseAll);
  await setVisibility(ada, "visible");
  await expect(ada.page.getByTestId("tap-to-hear")).toBeVisible();
  expect(await playingOf(ada)).toEqual(["paused", "paused", "paused"]);
  await ada.page.locator("header").first().click();
  await expect.poll(() => playingOf(ada)).toEqual(all);
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);
  await ada.decodes(1);
});

test("the mirror of the preview plays again, too", async ({ open }) => {
  const ada = await open("Ada");
  await ada.comeToDoor("paused-door");
  expect(await ada.page.evaluate(pauseAll)).toBe(1);
  await expect.poll(() => playingOf(ada)).toEqual(["muted"]);
});
