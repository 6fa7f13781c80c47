import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

test("a shared screen is shown large beside the camera, and removed when sharing ends", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("slides");
  await grace.enter("slides");
  await grace.decodes(1);

  const button = ada.page.getByTestId("toggle-screen");
  await expect(button).toHaveAttribute("aria-pressed", "false");
  await button.click();
  await expect(button).toHaveAttribute("aria-pressed", "true");
  await seesScreenOf(grace, ada);
  // The own screen is not shown large: it would contain itself.
  await expect(ada.page.getByTestId("screen-tile")).toHaveAttribute("data-large", "false");

  // Participants who join later see it, too.
  const hedy = await open("Hedy");
  await hedy.enter("slides");
  await seesScreenOf(hedy, ada);

  await button.click();
  for (const person of [ada, grace, hedy]) {
    await expect(person.page.getByTestId("screen-tile")).toHaveCount(0);
  }
  for (const person of [ada, grace, hedy]) await person.decodes(2);

  // The next share reuses the same transceivers.
  await button.click();
  await seesScreenOf(grace, ada);
});

test("two screens shared at the same time are both shown", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  await ada.enter("both");
  await grace.enter("both");
  await ada.decodes(1);
  await grace.decodes(1);
  const press = (person: typeof ada) => person.page.getByTestId("toggle-screen").click();
  await Promise.all([press(ada), press(grace)]);
  await seesScreenOf(grace, ada);
  await seesScreenOf(ada, grace);
  await ada.decodes(1);
  await grace.decodes(1);
});

test("screen audio is received", async ({ open }) => {
  const ada = await open("Ada");
  // The browser's fake screen has no audio, so the test adds a tone.
  await ada.page.addInitScript(() => {
    const real = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getDisplayMedia = async (options) => {
      const stream = await real({ ...options, audio: false });
      const context = new AudioContext();
      const tone = context.createOscillator();
      const out = context.createMediaStreamDestination();
      tone.connect(out);
      tone.start();
      for (const track of out.stream.getAudioTracks()) stream.addTrack(track);
      return stream;
    };
  });
  const grace = await open("Grace");
  await ada.enter("film");
  await grace.enter("film");
  await grace.decodes(1);
  await ada.page.getByTestId("toggle-screen").click();
  await seesScreenOf(grace, ada);
  const energy = () =>
    grace.tab.evaluate(async () => {
      const tile = document.querySelector("[data-testid=screen-tile] video");
      const stream = tile instanceof HTMLVideoElement ? tile.srcObject : null;
      const ids = stream instanceof MediaStream ? stream.getAudioTracks().map(({ id }) => id) : [];
      let total = 0;
      for (const { connection } of window.observed.peers) {
        for (const entry of (await connection.getStats()).values()) {
          if (ids.includes(entry.trackIdentifier)) total += entry.totalAudioEnergy ?? 0;
        }
      }
      return total;
    });
  await expect.poll(energy).toBeGreaterThan(0);
});

test("cancelling the screen picker shares nothing and shows no error", async ({ open }) => {
  const ada = await open("Ada");
  await ada.page.addInitScript(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      throw new DOMException("Permission denied by user", "NotAllowedError");
    };
  });
  await ada.enter("maybe");
  const button = ada.page.getByTestId("toggle-screen");
  await button.click();
  await expect(button).toHaveAttribute("aria-busy", "false");
  await expect(button).toHaveAttribute("aria-pressed", "false");
  await expect(ada.page.getByText(/can't be shared/)).toHaveCount(0);
});
