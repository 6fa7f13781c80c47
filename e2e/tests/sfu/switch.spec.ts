// Switching a room from mesh to the media server and back.

import { countFrames, expectNoFreeze } from "../../support/frames.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { waitForConnections, waitForSfuCall, waitForTopology } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";

const SMALL = { observer: { camera: "small" } } as const;

test("three people connect through the media server, with a shared screen", async ({ open }) => {
  const ada = await open("Ada");
  const grace = await open("Grace");
  const hedy = await open("Hedy");
  for (const person of [ada, grace, hedy]) await person.enter("grown");
  await waitForSfuCall([ada, grace, hedy]);

  await ada.tab.click("toggle-screen");
  for (const person of [grace, hedy]) await seesScreenOf(person, ada);
  await ada.tab.click("toggle-screen");
  await expect(grace.page.getByTestId("screen-tile")).toHaveCount(0);

  // Toggling the camera works as in a mesh.
  await grace.tab.click("toggle-camera");
  await grace.tab.click("toggle-camera");
  for (const person of [ada, grace, hedy]) await person.decodes(2);
});

// Joining at once makes cameras start late and offers collide.
test("three people who join several rooms at the same time connect in each", async ({ open }) => {
  const people = [await open("Ada", SMALL), await open("Grace", SMALL), await open("Hedy", SMALL)];
  for (const room of ["at-once", "at-once-again", "at-once-once-more"]) {
    await Promise.all(people.map((person) => person.enter(room)));
    for (const person of people) await waitForTopology(person, "sfu");
    for (const person of people) await person.decodes(2);
  }
});

// Freezes are measured in real time, so other load on the machine can fail this test. Other tests
// are never retried.
test.describe("measured", () => {
  test.describe.configure({ retries: 2 });

  test("no tile freezes or goes black between two, three and two participants", async ({
    open,
  }) => {
    const ada = await open("Ada", SMALL);
    const grace = await open("Grace", SMALL);
    const hedy = await open("Hedy", SMALL);
    await ada.enter("switching");
    await grace.enter("switching");
    await ada.decodes(1);
    await grace.decodes(1);
    await waitForTopology(ada, "mesh");
    // Loads the page before frames are counted, so that its load does not delay the others.
    await hedy.openPreview("switching");
    await countFrames(ada);
    await countFrames(grace);

    await hedy.join();
    await waitForSfuCall([ada, grace, hedy]);
    await hedy.tab.click("leave");
    for (const person of [ada, grace]) await waitForTopology(person, "mesh");
    for (const person of [ada, grace]) await person.decodes(1);

    // Only the direct link remains.
    for (const person of [ada, grace]) await waitForConnections(person, 1);
    for (const person of [ada, grace]) await person.decodes(1);
    await expectNoFreeze(ada, grace);
  });
});
