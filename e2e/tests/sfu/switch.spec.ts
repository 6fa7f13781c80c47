// A room that outgrows peer to peer, and shrinks again.

import { countFrames, nobodyLost } from "../../support/frames.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { hasConnections, hasTopology, meetAtServer } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";

const SMALL = { observer: { camera: "small" } } as const;

test("three people meet at the media server and all see and hear each other, a screen too", async ({
  open,
}) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const hedy = await open("Hedy");
  for (const person of [ada, grace, hedy]) await person.enter("grown");
  await meetAtServer([ada, grace, hedy]);

  await ada.tab.click("toggle-screen");
  for (const person of [grace, hedy]) await seesScreenOf(person, ada);
  await ada.tab.click("toggle-screen");
  await expect(grace.page.getByTestId("screen-tile")).toHaveCount(0);

  // Off and on again, as in a mesh.
  await grace.tab.click("toggle-camera");
  await grace.tab.click("toggle-camera");
  for (const person of [ada, grace, hedy]) await person.decodes(2);
});

// Cameras come late then, and offers cross.
test("three who come at once, to one room after the other, all see and hear each other", async ({
  open,
}) => {
  const people = [await open("Ada", SMALL), await open("Grace", SMALL), await open("Hedy", SMALL)];
  for (const room of ["at-once", "at-once-again", "at-once-once-more"]) {
    await Promise.all(people.map((person) => person.enter(room)));
    for (const person of people) await hasTopology(person, "sfu");
    for (const person of people) await person.decodes(2);
  }
});

// How long pictures stand still is measured: what else the machine does just then may spoil it. What
// is either so or not is never tried again.
test.describe("measured", () => {
  test.describe.configure({ retries: 2 });

  test("from two to three and back to two no tile stands still or goes black", async ({ open }) => {
    const ada = await open("Ada", SMALL);
    const grace = await open("Grace", SMALL);
    const hedy = await open("Hedy", SMALL);
    await ada.enter("switching");
    await grace.enter("switching");
    await ada.decodes(1);
    await grace.decodes(1);
    await hasTopology(ada, "mesh");
    // What a page takes to be loaded is no matter of those in the call.
    await hedy.comeToDoor("switching");
    await countFrames(ada);
    await countFrames(grace);

    await hedy.join();
    await meetAtServer([ada, grace, hedy]);
    await hedy.tab.click("leave");
    for (const person of [ada, grace]) await hasTopology(person, "mesh");
    for (const person of [ada, grace]) await person.decodes(1);

    // Only the direct link is left.
    for (const person of [ada, grace]) await hasConnections(person, 1);
    for (const person of [ada, grace]) await person.decodes(1);
    await nobodyLost(ada, grace);
  });
});
