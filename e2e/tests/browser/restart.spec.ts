// Acceptance check 15: the server is killed and comes back. The call goes on, and nobody is said to
// have left or joined who was there all the time.

import type { Participant } from "../../support/participant.ts";
import type { Server } from "../../support/server.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { forget, listen, spoken } from "../../support/spoken.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

/** Errors that the browsers log about a server that is away. */
const AWAY = [/WebSocket|ERR_CONNECTION|Failed to load|can.t establish/];

/** Time (ms) for which a call waits for those who have not come back yet before it says so. */
const PATIENCE = 20_000;

const banner = (person: Participant) =>
  person.tab.evaluate(() => {
    const banner = document.querySelector<HTMLElement>("[data-testid=reconnecting]");
    return banner && { outage: banner.dataset.outage, text: banner.innerText };
  });

async function loses(person: Participant, outage: string): Promise<void> {
  await until(`${person.name} to lose the server`, async () => {
    const seen = await banner(person);
    return { done: seen?.outage === outage || undefined, seen };
  });
}

async function isBack(person: Participant): Promise<void> {
  await until(`${person.name} to have the server again`, async () => {
    const seen = await banner(person);
    return { done: seen === null || undefined, seen };
  });
}

/** Enters one after another; each is told of those who come later. */
async function enterAll(people: readonly Participant[], room: string): Promise<void> {
  for (const [i, person] of people.entries()) {
    await person.enter(room);
    await listen(person);
    for (const earlier of people.slice(0, i)) {
      await until(`${earlier.name} to be told of ${person.name}`, async () => {
        const seen = await spoken(earlier);
        const isTold = seen.some(({ text }) => text.includes(`${person.name} joined`));
        return { done: isTold || undefined, seen };
      });
    }
  }
}

/** Kills the server; what is said from now on counts. */
async function crash(server: Server, people: readonly Participant[]): Promise<void> {
  for (const person of people) await forget(person);
  await server.crash(() => true);
}

/** Whatever was to be told of the return has been told by now. */
async function expectOneReturn(people: readonly Participant[]): Promise<void> {
  for (const person of people) {
    const told = await until(`${person.name} to be told`, async () => {
      const sentences = await spoken(person);
      const back = sentences.find(({ text }) => /^Connected again/.test(text));
      const now = await person.tab.evaluate(() => performance.now());
      const isOver = back !== undefined && now > back.at + PATIENCE + 1_500;
      return { done: isOver ? sentences : undefined, seen: sentences };
    });
    const texts = told.map(({ text }) => text);
    expect(texts.filter((text) => /^Connected again/.test(text))).toHaveLength(1);
    expect(texts.filter((text) => /(joined|left)\b/.test(text))).toEqual([]);
  }
}

test("in a mesh pictures go on without the server, in Chromium and Firefox, and its return is told once", async ({
  open,
  pool,
  firefox,
  server,
}) => {
  const ada = await open("Ada", { allow: AWAY });
  const grace = await pool.openFirefox("Grace", firefox, {}, server.url, AWAY);
  const people = [ada, grace];
  await enterAll(people, "mesh");
  for (const person of people) await person.decodes(1);

  await crash(server, people);
  for (const person of people) await loses(person, "away");
  for (const person of people) await person.decodes(1);
  // Quiet, as nothing is lost yet, and it says so.
  const seconds = async () => Number(/(\d+) s/.exec((await banner(ada))?.text ?? "")?.[1] ?? 0);
  await expect.poll(seconds).toBeGreaterThanOrEqual(2);
  const { backgroundColor, paper } = await ada.page
    .getByTestId("reconnecting")
    .evaluate((banner) => ({
      backgroundColor: getComputedStyle(banner).backgroundColor,
      paper: getComputedStyle(banner.ownerDocument.documentElement).getPropertyValue("--surface"),
    }));
  expect(backgroundColor, paper).toBe("rgb(255, 255, 255)");

  await server.restart();
  for (const person of people) await isBack(person);
  for (const person of people) await person.decodes(1);
  await expectOneReturn(people);
});

test("a call over the media server counts the seconds, tries at once when asked, and tells its return once", async ({
  open,
  server,
}) => {
  const people = [];
  for (const name of ["Ada", "Grace", "Hedy"]) {
    people.push(await open(name, { allow: AWAY, observer: { camera: "small" } }));
  }
  const [ada] = people as [(typeof people)[0]];
  await enterAll(people, "sfu");
  await waitForSfuCall(people);

  await crash(server, people);
  for (const person of people) await loses(person, "lost");
  const seconds = async () => Number(/(\d+) s/.exec((await banner(ada))?.text ?? "")?.[1] ?? 0);
  // By then it tries every few seconds; a press tries at once.
  await expect.poll(seconds, { timeout: 15_000 }).toBeGreaterThanOrEqual(6);
  const attempt = ada.page.waitForEvent("websocket", { timeout: 1_000 });
  await ada.page.getByTestId("try-now").click();
  await attempt;

  await server.restart();
  for (const person of people) await isBack(person);
  for (const person of people) await person.decodes(2);
  await expectOneReturn(people);
});
