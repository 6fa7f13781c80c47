import { waitForTopology } from "../../support/sfu.ts";
import { test } from "../../support/test.ts";

const SMALL = { observer: { camera: "small" } } as const;

test.describe("in a room that always uses the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  // Firefox does not support RED audio, which Chromium sends.
  test("Chromium and Firefox receive each other's audio and video", async ({
    open,
    pool,
    firefox,
  }) => {
    const ada = await open("Ada");
    const edith = await pool.openFirefox("Edith", firefox);
    await ada.enter("two-at-server");
    await edith.enter("two-at-server");
    await ada.decodes(1);
    await edith.decodes(1);
  });
});

test.describe("in a room that switches from mesh to the media server", () => {
  test("five people, one with Firefox, receive each other's audio and video", async ({
    open,
    pool,
    firefox,
  }) => {
    const edith = await pool.openFirefox("Edith", firefox, SMALL.observer);
    const people = [edith];
    for (const name of ["Ada", "Grace", "Hedy", "Joan"]) people.push(await open(name, SMALL));
    for (const person of people) await person.enter("five");
    for (const person of people) await waitForTopology(person, "sfu");
    for (const person of people) await person.decodes(4);
  });
});
