import { hasTopology } from "../../support/sfu.ts";
import { test } from "../../support/test.ts";

const SMALL = { observer: { camera: "small" } } as const;

test.describe("in a room that is always at the media server", () => {
  test.use({ flags: ["--topology", "sfu"] });

  // Firefox knows no redundant audio, which Chromium sends.
  test("Chromium and Firefox see and hear each other", async ({ open, company, firefox }) => {
    const ada = await open("Ada");
    const edith = await company.openFirefox("Edith", firefox);
    await ada.enter("two-at-server");
    await edith.enter("two-at-server");
    await ada.decodes(1);
    await edith.decodes(1);
  });
});

test.describe("in a room that outgrows peer to peer", () => {
  test("five people, one with Firefox, all see and hear each other", async ({
    open,
    company,
    firefox,
  }) => {
    const edith = await company.openFirefox("Edith", firefox, SMALL.observer);
    const people = [edith];
    for (const name of ["Ada", "Grace", "Hedy", "Joan"]) people.push(await open(name, SMALL));
    for (const person of people) await person.enter("five");
    for (const person of people) await hasTopology(person, "sfu");
    for (const person of people) await person.decodes(4);
  });
});
