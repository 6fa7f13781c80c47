import { chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "../../support/chromium.ts";
import type { Participant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

/** How long the server keeps a participant whose connection broke. */
const GRACE = 30_000;

test("three people all see and hear each other; when one leaves, the tile goes within a second", async ({
  open,
}) => {
  const people: Participant[] = [];
  for (const name of ["Ada", "Grace", "Hedy"]) {
    const person = await open(name);
    await person.enter("trio");
    people.push(person);
  }
  for (const person of people) await person.decodes(2);

  const [ada, grace, hedy] = people as [Participant, Participant, Participant];
  const { participant } = await hedy.self();
  await hedy.tab.click("leave");
  const clicked = await hedy.clickedAt("leave");
  for (const person of [ada, grace]) {
    expect((await removal(person, participant, 10_000)) - clicked).toBeLessThan(1000);
    await person.decodes(1);
  }
});

test("a browser that is killed outright is gone after the grace period", async ({ open }) => {
  const doomed = await chromium.launchServer({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  const browser = await chromium.connect(doomed.wsEndpoint());
  try {
    const ada = await open("Ada");
    const grace = await open("Grace");
    const hedy = await open("Hedy", { browser, mortal: true });
    for (const person of [ada, grace, hedy]) await person.enter("killed");
    for (const person of [ada, grace]) await person.decodes(2);

    const { participant } = await hedy.self();
    const killed = Date.now();
    doomed.process().kill("SIGKILL");
    for (const person of [ada, grace]) {
      const removed = await removal(person, participant, GRACE + 15_000);
      expect(removed - killed).toBeLessThan(GRACE + 3000);
      await person.decodes(1);
    }
  } finally {
    await doomed.kill();
  }
});

/** Waits until a tile has gone, and tells when. */
async function removal(
  person: Participant,
  participant: string,
  deadline: number,
): Promise<number> {
  const what = `the tile of ${participant} to go at ${person.name}'s`;
  const look = async () => {
    const changes = await person.tileChanges();
    const gone = changes.find(
      (change) => change.change === "removed" && change.participant === participant,
    );
    return { done: gone?.at, seen: changes };
  };
  return until(what, look, deadline);
}
