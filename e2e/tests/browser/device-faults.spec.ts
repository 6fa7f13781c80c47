import { expectAccessible } from "../../support/accessibility.ts";
import { type DeviceKind, fakeDevices } from "../../support/devices.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

/** Tracks captured so far, as `kind state`, with `muted` if disabled. */
const tracks = (person: ChromiumParticipant) =>
  person.tab.evaluate(() =>
    window.devices.tracks.map(
      ({ kind, readyState, enabled }) => `${kind} ${readyState}${enabled ? "" : " muted"}`,
    ),
  );

const hang = (person: ChromiumParticipant, ...kinds: DeviceKind[]) =>
  person.page.evaluate((kinds) => {
    window.devices.hanging = kinds;
  }, kinds);

test("a camera that never responds is named in an alert, and mute and leave act at once", async ({
  open,
}) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  await ada.enter("hanging");
  await expect.poll(() => tracks(ada)).toEqual(["audio live", "video live"]);
  await hang(ada, "video");

  const camera = ada.page.getByTestId("toggle-camera");
  await camera.click();
  await expect(camera).toHaveAttribute("aria-pressed", "false");
  await camera.click();
  await expect(camera).toHaveAttribute("aria-busy", "true");
  await ada.page.getByTestId("toggle-mic").click();
  expect(await tracks(ada)).toEqual(["audio live muted", "video ended"]);
  await expect(ada.page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "false");
  // The alert appears after five seconds, which is also the default timeout of an expectation.
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera doesn't respond", {
    timeout: 20_000,
  });

  await ada.page.getByTestId("leave").click();
  await expect(ada.page.getByTestId("left")).toBeVisible();
  expect(await tracks(ada)).toEqual(["audio ended muted", "video ended"]);
  // A camera that opens after leaving is stopped.
  await ada.page.evaluate(() => window.devices.resolvePending());
  await expect.poll(() => tracks(ada)).toEqual(["audio ended muted", "video ended", "video ended"]);
});

test("a camera that never responds does not delay the microphone", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  await ada.page.addInitScript(() => window.devices?.hanging.push("video"));
  await ada.enter("audio-only");
  const mic = ada.page.getByTestId("toggle-mic");
  await expect(mic).toHaveAttribute("aria-pressed", "true", { timeout: 15_000 });
  const grace = await open("Grace");
  await grace.enter("audio-only");
  await expect.poll(async () => (await grace.remoteTiles(1))[0]?.audioTracks.length).toBe(1);
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera doesn't respond", {
    timeout: 20_000,
  });
});

test("a screen picked after leaving is stopped, and rejoining shares nothing", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  await ada.enter("late");
  await expect.poll(() => tracks(ada)).toHaveLength(2);
  await hang(ada, "screen");
  await ada.page.getByTestId("toggle-screen").click();
  await expect(ada.page.getByTestId("toggle-screen")).toHaveAttribute("aria-busy", "true");
  await ada.page.getByTestId("leave").click();
  await expect(ada.page.getByTestId("left")).toBeVisible();
  await ada.page.evaluate(() => window.devices.resolvePending());
  await expect.poll(async () => (await tracks(ada)).length).toBeGreaterThan(2);
  const live = async () => (await tracks(ada)).filter((track) => /live/.test(track));
  await expect.poll(live).toEqual([]);

  await ada.page.getByTestId("join-again").click();
  await ada.ownTile();
  await expect(ada.page.getByTestId("toggle-screen")).toHaveAttribute("aria-pressed", "false");
  await expect(ada.page.getByTestId("screen-tile")).toHaveCount(0);
});

test("a call works if optional browser features fail", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("failed by the test", "NotSupportedError");
    };
    AudioContext.prototype.createMediaStreamSource = refuse;
    if (navigator.wakeLock) navigator.wakeLock.request = async () => refuse();
    if (navigator.mediaSession) navigator.mediaSession.setActionHandler = refuse;
  });
  const grace = await open("Grace");
  await ada.enter("plain");
  await grace.enter("plain");
  await grace.decodes(1);
  await expect(ada.page.getByTestId("toggle-mic")).toHaveAttribute("aria-pressed", "true");
  await expect(ada.page.getByTestId("device-banner")).toHaveCount(0);

  // Also in the preview, which shows the level meter.
  await ada.page.getByTestId("leave").click();
  await ada.openPreview("plain");
  await expect(ada.page.getByTestId("mic-level")).toBeVisible();
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("a camera that can't satisfy the constraints opens without them", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    if (!navigator.mediaDevices) return;
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints = {}) => {
      const { video } = constraints;
      const rate = typeof video === "object" ? video.frameRate : undefined;
      const { max = Number.POSITIVE_INFINITY } = typeof rate === "object" ? rate : {};
      if (max < 60) throw new OverconstrainedError("frameRate", "failed by the test");
      return real(constraints);
    };
  });
  await ada.openPreview("sixty");
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("if the first camera is busy, the next one opens", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page, { cameras: ["front", "desk"] });
  await ada.page.addInitScript(() => window.devices?.busy.push("front"));
  await ada.openPreview("busy");
  await expect(ada.page.getByTestId("choose-camera")).toHaveValue("desk");
});

test("selecting another camera after a failure opens it at once", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page, { cameras: ["front", "desk"] });
  await ada.page.addInitScript(() => window.devices?.busy.push("front", "desk"));
  await ada.tab.goto(ada.previewUrl("choice"));
  await expect(ada.page.getByTestId("device-problem")).toContainText(/Another program/);
  await ada.page.evaluate(() => window.devices.busy.pop());
  await ada.page.getByTestId("choose-camera").selectOption("desk");
  await ada.waitForPreview();
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("switching to a busy camera keeps the previous one and says so", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page, { cameras: ["front", "desk"] });
  const grace = await open("Grace");
  await ada.enter("kept");
  await grace.enter("kept");
  await grace.decodes(1);
  await ada.page.evaluate(() => window.devices.busy.push("desk"));
  await ada.page.getByTestId("open-settings").click();
  await ada.page.getByTestId("choose-camera").selectOption("desk");
  await expect(ada.page.getByTestId("device-problem")).toContainText(
    "The previous one stays in use.",
  );
  await expect(ada.page.getByTestId("choose-camera")).toHaveValue("front");
  await expect(ada.page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "true");
  expect(await tracks(ada)).toEqual(["audio live", "video live"]);
  await grace.decodes(1);
});

test("the selected speaker plays the others' audio and screen audio", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("loud");
  await grace.enter("loud");
  await grace.decodes(1);
  await grace.page.getByTestId("open-settings").click();
  const choice = grace.page.getByTestId("choose-speaker");
  await expect.poll(() => choice.locator("option").count()).toBeGreaterThan(1);
  await choice.selectOption({ index: 2 });
  const selected = await choice.inputValue();
  expect(selected).not.toBe("");
  await grace.page.keyboard.press("Escape");
  await ada.page.getByTestId("toggle-screen").click();
  await seesScreenOf(grace, ada);
  // Also the audio of a participant who joins later.
  const hedy = await open("Hedy");
  await hedy.enter("loud");
  await grace.remoteTiles(2);
  const sinks = () =>
    grace.tab.evaluate(() =>
      [...document.querySelectorAll("video")].flatMap((video) =>
        video.muted ? [] : [video.sinkId],
      ),
    );
  await expect.poll(sinks).toEqual([selected, selected, selected]);
});

test("a microphone muted by the system for a second is shown to all, and one press restarts it", async ({
  open,
}) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  const grace = await open("Grace");
  await ada.enter("phone");
  await grace.enter("phone");
  await grace.decodes(1);
  // A blink of the system's is followed by a mute that lasts; all that is shown is recorded.
  await ada.page.evaluate(async () => {
    const track = window.devices.tracks.find(({ kind }) => kind === "audio");
    const setMuted = (muted: boolean) => {
      Object.defineProperty(track, "muted", { value: muted, configurable: true });
      track?.dispatchEvent(new Event(muted ? "mute" : "unmute"));
    };
    const shown: number[] = [];
    let wasShown = false;
    new MutationObserver(() => {
      const isShown = document.querySelector("[data-testid=device-banner]") !== null;
      if (isShown && !wasShown) shown.push(performance.now());
      wasShown = isShown;
    }).observe(document.body, { childList: true, subtree: true });
    Object.assign(window, { setMuted, shown });
    setMuted(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    setMuted(false);
    await new Promise((resolve) => setTimeout(resolve, 300));
    Object.assign(window, { mutedAt: performance.now() });
    setMuted(true);
  });
  const banner = ada.page.getByTestId("device-banner");
  await expect(banner).toContainText("Your microphone is paused");
  const delays = await ada.page.evaluate(() => {
    const { shown, mutedAt } = window as unknown as { shown: number[]; mutedAt: number };
    return shown.map((at) => at - mutedAt);
  });
  expect(delays).toHaveLength(1);
  // Timers of a page may be early by a few milliseconds.
  expect(delays[0]).toBeGreaterThanOrEqual(990);
  const setMuted = (muted: boolean) =>
    ada.page.evaluate((muted) => {
      (window as unknown as { setMuted: (muted: boolean) => void }).setMuted(muted);
    }, muted);
  const adasTile = (person: ChromiumParticipant) =>
    person.page.locator("[data-testid=tile][data-name=Ada]");
  await setMuted(false);
  await expect(banner).toHaveCount(0);
  await expect(adasTile(grace)).not.toHaveAttribute("data-paused");
  await setMuted(true);
  for (const person of [ada, grace]) {
    await expect(adasTile(person)).toHaveAttribute("data-paused", "mic");
    await expect(adasTile(person)).toHaveAccessibleName(/microphone paused/);
  }
  await expectAccessible(ada.page);
  // The remedy works by keyboard alone.
  await ada.page.getByTestId("device-remedy").focus();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByTestId("device-banner")).toHaveCount(0);
  for (const person of [ada, grace]) {
    await expect(adasTile(person)).not.toHaveAttribute("data-paused");
  }
  await grace.decodes(1);
  expect(await tracks(ada)).toEqual(["audio ended", "video live", "audio live"]);
});

test("revoking a permission during a call shows an alert, and the other device continues", async ({
  open,
}) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  const grace = await open("Grace");
  await ada.enter("revoked");
  await grace.enter("revoked");
  await grace.decodes(1);
  await ada.page.evaluate(() => {
    // Browsers end the track and deny further requests.
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("failed by the test", "NotAllowedError");
    };
    const track = window.devices.tracks.find(({ kind }) => kind === "video");
    track?.stop();
    track?.dispatchEvent(new Event("ended"));
  });
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera can't be used");
  await expect(ada.page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
  expect(await tracks(ada)).toEqual(["audio live", "video ended"]);
  // The avatar replaces the video and leaves space around it.
  const tile = grace.page.locator("[data-testid=tile][data-name=Ada]");
  await expect(tile).toHaveAccessibleName(/camera off/);
  const avatar = await tile.locator("span > span").first().boundingBox();
  expect(avatar?.width).toBeGreaterThan(40);
  expect(avatar?.width).toBeLessThanOrEqual(160);
});

test("audio blocked by the autoplay policy plays after one tap", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    const play = HTMLMediaElement.prototype.play;
    let isTapped = false;
    addEventListener("pointerdown", () => (isTapped = true), { capture: true });
    HTMLMediaElement.prototype.play = async function () {
      if (!this.muted && !isTapped) throw new DOMException("failed by the test", "NotAllowedError");
      return play.call(this);
    };
  });
  const grace = await open("Grace");
  await ada.enter("tap");
  await grace.enter("tap");
  await ada.remoteTiles(1);
  const video = ada.page.locator("[data-testid=tile][data-name=Grace] video");
  // Until then the video plays muted.
  await expect(ada.page.getByTestId("tap-to-hear")).toBeVisible();
  await expect(video).toHaveJSProperty("muted", true);
  await expect(video).toHaveJSProperty("paused", false);
  await ada.page.getByTestId("tap-to-hear").click();
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);
  await expect(video).toHaveJSProperty("muted", false);
  await expect(video).toHaveJSProperty("paused", false);
  await ada.decodes(1);
});

test("headset keys mute and hang up, and the pause key does nothing", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page);
  await ada.page.addInitScript(() => {
    const keys = new Map<string, (() => void) | null>();
    Object.assign(window, { press: (key: string) => keys.get(key)?.() });
    navigator.mediaSession.setActionHandler = (key, handler) => {
      keys.set(key, handler as (() => void) | null);
    };
  });
  const press = (key: string) =>
    ada.page.evaluate(
      (key) => (window as unknown as { press: (key: string) => void }).press(key),
      key,
    );
  await ada.enter("headset");
  const mic = ada.page.getByTestId("toggle-mic");
  await expect(mic).toHaveAttribute("aria-pressed", "true");
  await press("togglemicrophone");
  await expect(mic).toHaveAttribute("aria-pressed", "false");
  await press("togglemicrophone");
  await expect(mic).toHaveAttribute("aria-pressed", "true");
  await press("pause");
  expect(await tracks(ada)).toEqual(["audio live", "video live"]);
  await press("hangup");
  await expect(ada.page.getByTestId("left")).toBeVisible();
  expect(await tracks(ada)).toEqual(["audio ended", "video ended"]);
});
