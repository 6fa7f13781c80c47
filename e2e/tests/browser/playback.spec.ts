// Playback after the system pauses all videos of a page, as iOS does for a phone call.

import type { ChromiumParticipant } from "../../support/participant.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

/** Pauses all videos and returns the number of those that were playing. */
const pauseAll = () => {
  const playing = [...document.querySelectorAll("video")].filter(({ paused }) => !paused);
  for (const video of playing) video.pause();
  return playing.length;
};

const playbackStates = (person: ChromiumParticipant) =>
  person.page.evaluate(() =>
    [...document.querySelectorAll("video")].map(({ paused, muted }) =>
      paused ? "paused" : muted ? "muted" : "audible",
    ),
  );

/** Simulates that the page is hidden or visible. */
const setVisibility = (person: ChromiumParticipant, state: DocumentVisibilityState) =>
  person.page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

test("videos paused by the system resume at once, when visible again, or by a tap", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("paused");
  await grace.enter("paused");
  await grace.tab.click("toggle-screen");
  await seesScreenOf(ada, grace);
  await ada.decodes(1);
  // The remote camera, the remote screen and the own camera.
  const all = ["audible", "audible", "muted"];
  await expect.poll(() => playbackStates(ada)).toEqual(all);

  // At once, while the page is visible.
  expect(await ada.page.evaluate(pauseAll)).toBe(3);
  await expect.poll(() => playbackStates(ada)).toEqual(all);
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);

  // When the page becomes visible again.
  await setVisibility(ada, "hidden");
  expect(await ada.page.evaluate(pauseAll)).toBe(3);
  expect(await playbackStates(ada)).toEqual(["paused", "paused", "paused"]);
  await setVisibility(ada, "visible");
  await expect.poll(() => playbackStates(ada)).toEqual(all);

  // By a tap anywhere, if the browser refuses playback before it.
  await ada.page.evaluate(() => {
    const { prototype } = HTMLMediaElement;
    const real = prototype.play;
    let isRefused = true;
    prototype.play = function play() {
      if (!isRefused) return real.call(this);
      return Promise.reject(new DOMException("failed by the test", "NotAllowedError"));
    };
    addEventListener("pointerdown", () => {
      isRefused = false;
    });
  });
  await setVisibility(ada, "hidden");
  await ada.page.evaluate(pauseAll);
  await setVisibility(ada, "visible");
  await expect(ada.page.getByTestId("tap-to-hear")).toBeVisible();
  expect(await playbackStates(ada)).toEqual(["paused", "paused", "paused"]);
  await ada.page.locator("header").first().click();
  await expect.poll(() => playbackStates(ada)).toEqual(all);
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);
  await ada.decodes(1);
});

test("the camera preview resumes, too", async ({ open }) => {
  const ada = await open("Ada");
  await ada.openPreview("paused-preview");
  expect(await ada.page.evaluate(pauseAll)).toBe(1);
  await expect.poll(() => playbackStates(ada)).toEqual(["muted"]);
});
