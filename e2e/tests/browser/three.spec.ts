import { chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "../../support/chromium.ts";
import type { Participant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

/** Time for which the server keeps a participant whose connection broke. */
const GRACE_PERIOD_MS = 30_000;

test("three people decode each other, and a leaving one's tile is removed within a second", async ({
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
  const { participant } = await hedy.ownTile();
  await hedy.tab.click("leave");
  const clicked = await hedy.clickedAt("leave");
  for (const person of [ada, grace]) {
    expect((await removedAt(person, participant, 10_000)) - clicked).toBeLessThan(1000);
    await person.decodes(1);
  }
});

test("a killed browser is removed after the grace period", async ({ open }) => {
  const victim = await chromium.launchServer({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  const browser = await chromium.connect(victim.wsEndpoint());
  try {
    const ada = await open("Ada");
    const grace = await open("Grace");
    const hedy = await open("Hedy", { browser, mayCrash: true });
    for (const person of [ada, grace, hedy]) await person.enter("killed");
    for (const person of [ada, grace]) await person.decodes(2);

    const { participant } = await hedy.ownTile();
    const killed = Date.now();
    victim.process().kill("SIGKILL");
    for (const person of [ada, grace]) {
      const removed = await removedAt(person, participant, GRACE_PERIOD_MS + 15_000);
      expect(removed - killed).toBeLessThan(GRACE_PERIOD_MS + 3000);
      await person.decodes(1);
    }
  } finally {
    await victim.kill();
  }
});

/** Waits until a tile is removed, and returns the time of it. */
async function removedAt(
  person: Participant,
  participant: string,
  deadline: number,
): Promise<number> {
  const what = `the tile of ${participant} to be removed at ${person.name}'s`;
  const poll = async () => {
    const changes = await person.tileChanges();
    const removal = changes.find(
      (change) => change.change === "removed" && change.participant === participant,
    );
    return { done: removal?.at, seen: changes };
  };
  return until(what, poll, deadline);
}
