import type { Page } from "@playwright/test";
import { fakeDevices } from "../../support/devices.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

const litBars = (page: Page) => page.getByTestId("mic-level").getAttribute("aria-valuenow");

/** The least and the greatest number of lit bars in the next 30 frames. */
const rangeOfBars = (page: Page) =>
  page.getByTestId("mic-level").evaluate(async (meter) => {
    const seen: number[] = [];
    while (seen.length < 30) {
      await new Promise(requestAnimationFrame);
      seen.push(Number(meter.getAttribute("aria-valuenow")));
    }
    return { least: Math.min(...seen), most: Math.max(...seen) };
  });

function setTone(page: Page, decibels: number): Promise<void> {
  return page.evaluate((decibels) => window.devices.setTone(decibels), decibels);
}

/** What the hidden `<audio>` of a test has played, and where. */
async function played(page: Page, testId: string): Promise<{ sink: string; seconds: number }> {
  return await page.getByTestId(testId).evaluate((element) => {
    const audio = element as HTMLAudioElement;
    return { sink: audio.sinkId, seconds: audio.ended ? audio.currentTime : 0 };
  });
}

test("before a call, microphone and speaker can be tested", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page, { hasTone: true });
  await ada.openPreview("tested");
  for (const [decibels, least, most] of [
    [-60, 0, 0],
    [-40, 2, 4],
    [-20, 4, 6],
    [-6, 7, 8],
  ] as const) {
    await setTone(ada.page, decibels);
    // It stays there: a level that only passes by on its way up does not count.
    await expect(async () => {
      const range = await rangeOfBars(ada.page);
      expect(range.least, `${decibels} dB`).toBeGreaterThanOrEqual(least);
      expect(range.most, `${decibels} dB`).toBeLessThanOrEqual(most);
    }).toPass({ timeout: 10_000 });
  }

  const speakers = ada.page.getByTestId("choose-speaker");
  const speaker = await speakers.locator("option").last().getAttribute("value");
  await speakers.selectOption(speaker);
  await ada.page.getByTestId("test-speaker").click();
  await expect.poll(() => played(ada.page, "test-sound")).toMatchObject({ sink: speaker });
  await expect.poll(async () => (await played(ada.page, "test-sound")).seconds).toBeCloseTo(0.9, 1);

  // Ten seconds of digital silence from a microphone that is on; the recording takes six of them.
  await setTone(ada.page, Number.NEGATIVE_INFINITY);
  await expect.poll(() => litBars(ada.page)).toBe("0");
  const silentAt = performance.now();
  await ada.page.getByTestId("test-mic").click();
  const echoed = () =>
    ada.page.getByTestId("echo").evaluate((audio) => (audio as HTMLAudioElement).played.length);
  await expect.poll(echoed, { timeout: 15_000 }).toBe(1);
  const hint = ada.page.getByTestId("silent-hint");
  await expect(hint).toContainText("We can't hear you", { timeout: 15_000 });
  expect(performance.now() - silentAt).toBeGreaterThan(9_000);
  await setTone(ada.page, -20);
  await expect(hint).toBeHidden();
});

test("a participant that speaks while muted is told, and may talk with a key", async ({ open }) => {
  const ada = await open("Ada");
  await fakeDevices(ada.page, { hasTone: true });
  await ada.enter("muted");
  const { page } = ada;
  const microphone = page.getByTestId("toggle-mic");
  await microphone.click();
  await expect(microphone).toHaveAttribute("aria-pressed", "false");
  await expect(page.getByTestId("muted-hint")).toBeHidden();
  await setTone(page, -20);
  await expect(page.getByTestId("muted-hint")).toContainText("You're muted");
  await page.getByTestId("muted-hint-action").click();
  await expect(microphone).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByTestId("muted-hint")).toBeHidden();

  await page.getByTestId("open-settings").click();
  await page.getByTestId("push-to-talk").check();
  await page.keyboard.press("Escape");
  await expect(microphone).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.down("v");
  await expect(microphone).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.up("v");
  await expect(microphone).toHaveAttribute("aria-pressed", "false");
  await page.getByTestId("chat-open").click();
  await page.getByTestId("chat-input").press("v");
  await expect(page.getByTestId("chat-input")).toHaveValue("v");
  await expect(microphone).toHaveAttribute("aria-pressed", "false");
});

test("a phone flips its camera, and does not mirror what the others read", async ({ open }) => {
  const ada = await open("Ada");
  const facing = { front: "user", back: "environment" } as const;
  await fakeDevices(ada.page, { cameras: ["front", "back"], facing });
  await ada.openPreview("flipped");
  const preview = ada.page.getByTestId("preview");
  const isMirrored = () =>
    preview.evaluate((video) => new DOMMatrix(getComputedStyle(video).transform).a < 0);
  const lens = () =>
    preview.evaluate((element) => {
      const stream = (element as HTMLVideoElement).srcObject as MediaStream | null;
      return stream?.getVideoTracks()[0]?.getSettings().facingMode;
    });
  await expect.poll(lens).toBe("user");
  expect(await isMirrored()).toBe(true);
  await ada.page.getByTestId("flip-camera").click();
  await expect.poll(lens, { timeout: 1000 }).toBe("environment");
  await expect.poll(isMirrored).toBe(false);
  await ada.page.getByTestId("flip-camera").click();
  await expect.poll(lens, { timeout: 1000 }).toBe("user");
});

/** Packets of audio and of video that a page has received, and frames that it has decoded. */
async function received(person: ChromiumParticipant) {
  const { connections } = await person.report();
  const inbound = connections.flatMap((connection) => connection.inbound);
  const sum = (kind: string) =>
    inbound
      .filter((stream) => stream.kind === kind)
      .reduce((all, { packetsReceived }) => all + packetsReceived, 0);
  const frames = inbound.reduce((all, { framesDecoded }) => all + framesDecoded, 0);
  return { audio: sum("audio"), video: sum("video"), frames };
}

for (const [route, flags] of [
  ["peer to peer", []],
  ["through the media server", ["--topology", "sfu"]],
] as const) {
  test.describe(() => {
    test.use({ flags: [...flags] });

    test(`sound only receives no video ${route}, and changes nothing for the others`, async ({
      open,
    }) => {
      const ada = await open("Ada");
      const grace = await open("Grace");
      await ada.enter("sound-only");
      await grace.enter("sound-only");
      await ada.decodes(1);
      await grace.decodes(1);
      await ada.page.getByTestId("open-settings").click();
      await ada.page.getByTestId("receive").selectOption("sound");
      await ada.page.keyboard.press("Escape");
      await expect(ada.page.getByTestId("sound-only")).toBeVisible();
      // No video in a whole second while audio flows on. The media server may still probe the
      // bandwidth of the link with padding, of which no frame is decoded.
      await expect(async () => {
        const before = await received(ada);
        await expect
          .poll(async () => (await received(ada)).audio)
          .toBeGreaterThan(before.audio + 45);
        const after = await received(ada);
        expect(after.frames).toBe(before.frames);
        if (flags.length === 0) expect(after.video).toBe(before.video);
      }).toPass({ timeout: 20_000 });
      await grace.decodes(1);
      await ada.page.getByTestId("sound-only").getByRole("button").click();
      await ada.decodes(1);
    });
  });
}

test("strong noise suppression runs from the server's own files", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const files: string[] = [];
  ada.page.on("requestfinished", (request) => files.push(new URL(request.url()).pathname));
  await ada.enter("noisy");
  await grace.enter("noisy");
  await grace.decodes(1);
  const filterFiles = () => files.filter((file) => /rnnoise|workletProcessor/.test(file));
  expect(filterFiles()).toEqual([]);
  await ada.page.getByTestId("open-settings").click();
  await ada.page.getByTestId("noise").selectOption("strong");
  await expect.poll(() => filterFiles().length).toBe(2);
  // The filter's output is sent: packets go on.
  const before = await received(grace);
  await expect.poll(async () => (await received(grace)).audio).toBeGreaterThan(before.audio + 25);
  await expect(ada.page.getByTestId("noise-failed")).toBeHidden();
});
