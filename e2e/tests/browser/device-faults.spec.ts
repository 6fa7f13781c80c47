import { check } from "../../support/accessible.ts";
import { controlDevices, type Hanging } from "../../support/devices.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

/** The tracks captured so far, as `kind state`, `muted` where nothing of them is sent. */
const tracks = (person: ChromiumParticipant) =>
  person.tab.evaluate(() =>
    window.devices.tracks.map(
      ({ kind, readyState, enabled }) => `${kind} ${readyState}${enabled ? "" : " muted"}`,
    ),
  );

const hang = (person: ChromiumParticipant, ...kinds: Hanging[]) =>
  person.page.evaluate((kinds) => {
    window.devices.hanging = kinds;
  }, kinds);

test("with a camera that never answers, mute and leave act at once, and it is named", async ({
  open,
}) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
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
  // Named after five seconds, which is as long as an expectation waits by itself.
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera doesn't respond", {
    timeout: 20_000,
  });

  await ada.page.getByTestId("leave").click();
  await expect(ada.page.getByTestId("left")).toBeVisible();
  expect(await tracks(ada)).toEqual(["audio ended muted", "video ended"]);
  // What opens after all is closed.
  await ada.page.evaluate(() => window.devices.answer());
  await expect.poll(() => tracks(ada)).toEqual(["audio ended muted", "video ended", "video ended"]);
});

test("a camera that never answers keeps nobody from being heard", async ({ open }) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
  await ada.page.addInitScript(() => window.devices?.hanging.push("video"));
  await ada.enter("voice");
  const mic = ada.page.getByTestId("toggle-mic");
  await expect(mic).toHaveAttribute("aria-pressed", "true", { timeout: 15_000 });
  const grace = await open("Grace");
  await grace.enter("voice");
  await expect.poll(async () => (await grace.others(1))[0]?.audioTracks.length).toBe(1);
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera doesn't respond", {
    timeout: 20_000,
  });
});

test("a screen picked after leaving is closed, and joining again shares nothing", async ({
  open,
}) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
  await ada.enter("late");
  await expect.poll(() => tracks(ada)).toHaveLength(2);
  await hang(ada, "screen");
  await ada.page.getByTestId("toggle-screen").click();
  await expect(ada.page.getByTestId("toggle-screen")).toHaveAttribute("aria-busy", "true");
  await ada.page.getByTestId("leave").click();
  await expect(ada.page.getByTestId("left")).toBeVisible();
  await ada.page.evaluate(() => window.devices.answer());
  await expect.poll(async () => (await tracks(ada)).length).toBeGreaterThan(2);
  await expect.poll(async () => (await tracks(ada)).filter((of) => /live/.test(of))).toEqual([]);

  await ada.page.getByTestId("join-again").click();
  await ada.self();
  await expect(ada.page.getByTestId("toggle-screen")).toHaveAttribute("aria-pressed", "false");
  await expect(ada.page.getByTestId("screen-tile")).toHaveCount(0);
});

test("what only adorns a call breaks none of it", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException("as this test has it", "NotSupportedError");
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

  // In the preview, where the meter is drawn, too.
  await ada.page.getByTestId("leave").click();
  await ada.comeToDoor("plain");
  await expect(ada.page.getByTestId("mic-level")).toBeVisible();
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("a camera that can't do what is wished for opens with what it has", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    if (!navigator.mediaDevices) return;
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted = {}) => {
      const rate = typeof wanted.video === "object" ? wanted.video.frameRate : undefined;
      const { max = Number.POSITIVE_INFINITY } = typeof rate === "object" ? rate : {};
      if (max < 60) throw new OverconstrainedError("frameRate", "as this test has it");
      return real(wanted);
    };
  });
  await ada.comeToDoor("sixty");
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("where the first camera is busy the next one opens", async ({ open }) => {
  const ada = await open("Ada");
  await controlDevices(ada.page, { cameras: ["front", "desk"] });
  await ada.page.addInitScript(() => window.devices?.busy.push("front"));
  await ada.comeToDoor("busy");
  await expect(ada.page.getByTestId("choose-camera")).toHaveValue("desk");
});

test("a camera chosen after another would not open does at once", async ({ open }) => {
  const ada = await open("Ada");
  await controlDevices(ada.page, { cameras: ["front", "desk"] });
  await ada.page.addInitScript(() => window.devices?.busy.push("front", "desk"));
  await ada.tab.goto(ada.doorUrl("choice"));
  await expect(ada.page.getByTestId("device-problem")).toContainText(/Another program/);
  await ada.page.evaluate(() => window.devices.busy.pop());
  await ada.page.getByTestId("choose-camera").selectOption("desk");
  await ada.preview();
  await expect(ada.page.getByTestId("device-problem")).toHaveCount(0);
});

test("a change to a busy camera keeps the one before, and says so", async ({ open }) => {
  const ada = await open("Ada");
  await controlDevices(ada.page, { cameras: ["front", "desk"] });
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

test("the chosen loudspeaker plays the others and the sound of their screens", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("loud");
  await grace.enter("loud");
  await grace.decodes(1);
  await grace.page.getByTestId("open-settings").click();
  const choice = grace.page.getByTestId("choose-speaker");
  await expect.poll(() => choice.locator("option").count()).toBeGreaterThan(1);
  await choice.selectOption({ index: 2 });
  const chosen = await choice.inputValue();
  expect(chosen).not.toBe("");
  await grace.page.keyboard.press("Escape");
  await ada.page.getByTestId("toggle-screen").click();
  await seesScreenOf(grace, ada);
  // Of whoever comes later as well.
  const hedy = await open("Hedy");
  await hedy.enter("loud");
  await grace.others(2);
  const sinks = () =>
    grace.tab.evaluate(() =>
      [...document.querySelectorAll("video")].flatMap((video) =>
        video.muted ? [] : [video.sinkId],
      ),
    );
  await expect.poll(sinks).toEqual([chosen, chosen, chosen]);
});

test("a microphone that the system mutes is shown to all, and one press gets it back", async ({
  open,
}) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
  const grace = await open("Grace");
  await ada.enter("phone");
  await grace.enter("phone");
  await grace.decodes(1);
  await ada.page.evaluate(() => {
    const track = window.devices.tracks.find(({ kind }) => kind === "audio");
    Object.defineProperty(track, "muted", { value: true });
    track?.dispatchEvent(new Event("mute"));
  });
  await expect(ada.page.getByTestId("device-banner")).toContainText("Your microphone is paused");
  const paused = (person: ChromiumParticipant) =>
    person.page.locator("[data-testid=tile][data-name=Ada]");
  for (const person of [ada, grace]) {
    await expect(paused(person)).toHaveAttribute("data-paused", "mic");
    await expect(paused(person)).toHaveAccessibleName(/microphone paused/);
  }
  await check(ada.page);
  // By keys alone, too.
  await ada.page.getByTestId("device-remedy").focus();
  await ada.page.keyboard.press("Enter");
  await expect(ada.page.getByTestId("device-banner")).toHaveCount(0);
  for (const person of [ada, grace]) {
    await expect(paused(person)).not.toHaveAttribute("data-paused");
  }
  await grace.decodes(1);
  expect(await tracks(ada)).toEqual(["audio ended", "video live", "audio live"]);
});

test("permission that is withdrawn during a call is told, and the other device goes on", async ({
  open,
}) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
  const grace = await open("Grace");
  await ada.enter("withdrawn");
  await grace.enter("withdrawn");
  await grace.decodes(1);
  await ada.page.evaluate(() => {
    // As a browser does it: the track ends, and asking again is refused.
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException("as this test has it", "NotAllowedError");
    };
    const track = window.devices.tracks.find(({ kind }) => kind === "video");
    track?.stop();
    track?.dispatchEvent(new Event("ended"));
  });
  await expect(ada.page.getByTestId("device-banner")).toContainText("The camera can't be used");
  await expect(ada.page.getByTestId("toggle-camera")).toHaveAttribute("aria-pressed", "false");
  expect(await tracks(ada)).toEqual(["audio live", "video ended"]);
  // The avatar takes the picture's place, and leaves room around it.
  const tile = grace.page.locator("[data-testid=tile][data-name=Ada]");
  await expect(tile).toHaveAccessibleName(/camera off/);
  const avatar = await tile.locator("span > span").first().boundingBox();
  expect(avatar?.width).toBeGreaterThan(40);
  expect(avatar?.width).toBeLessThanOrEqual(160);
});

test("sound that the browser holds back is heard after one tap", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    const play = HTMLMediaElement.prototype.play;
    let isTapped = false;
    addEventListener("pointerdown", () => (isTapped = true), { capture: true });
    HTMLMediaElement.prototype.play = async function () {
      if (!this.muted && !isTapped)
        throw new DOMException("as this test has it", "NotAllowedError");
      return play.call(this);
    };
  });
  const grace = await open("Grace");
  await ada.enter("tap");
  await grace.enter("tap");
  await ada.others(1);
  const theirs = ada.page.locator("[data-testid=tile][data-name=Grace] video");
  // The picture is seen meanwhile.
  await expect(ada.page.getByTestId("tap-to-hear")).toBeVisible();
  await expect(theirs).toHaveJSProperty("muted", true);
  await expect(theirs).toHaveJSProperty("paused", false);
  await ada.page.getByTestId("tap-to-hear").click();
  await expect(ada.page.getByTestId("tap-to-hear")).toHaveCount(0);
  await expect(theirs).toHaveJSProperty("muted", false);
  await expect(theirs).toHaveJSProperty("paused", false);
  await ada.decodes(1);
});

test("a headset's keys mute and hang up, and its pause key stops nothing", async ({ open }) => {
  const ada = await open("Ada");
  await controlDevices(ada.page);
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
