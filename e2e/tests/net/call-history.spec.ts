// The server's account of a call over bad links and with a slow device, for its operator.

import type { Browser } from "@playwright/test";
import { launchChromiumIn } from "../../net/chromium.ts";
import { requireNetworks } from "../../net/requirements.ts";
import { expect, test as network } from "../../net/test.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { SlowDevice } from "../../support/slow-device.ts";
import { until } from "../../support/until.ts";

requireNetworks();

const test = network.extend<{ slow: { device: SlowDevice; browser: Browser } }>({
  slow: async ({ network: { world } }, use) => {
    const device = SlowDevice.add();
    const browser = await launchChromiumIn(world.server, [], device.enter);
    await use({ device, browser });
    device.limit();
    await browser.close();
    await device.remove();
  },
});

test.use({ nat: "cone", links: "impaired", flags: ["--topology", "sfu"] });

/** Share of a core that the slow device has. */
const SLOW = 0.1;

/** Minutes of faults; without any, the test ends when each has been told for twenty seconds. */
const MINUTES = Number(process.env.MOIM_VERDICT_MINUTES ?? 0);

const DAY = 86_400;

/** Seconds of one sample. */
const SAMPLE = 10;

if (MINUTES > 0) test.setTimeout((MINUTES + 3) * 60_000);

test("W3 the sentences about a call name who lost packets, in which direction, and whose computer is too slow", async ({
  // The first is torn down last.
  slow: { device, browser },
  sit,
  pool,
  server,
  network: { world },
}) => {
  const ada = await sit("Ada", 0, { camera: "tiny" });
  const grace = await sit("Grace", 1, { camera: "tiny" });
  const cy = await pool.open("Cy", {
    browser,
    observer: { camera: "small" },
    context: { ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 }, locale: "en-US" },
  });
  const people = [ada, grace, cy];
  for (const person of people) await person.enter("history");
  await waitForSfuCall(people);
  // Ada's uplink, Grace's downlink and Cy's computer.
  await world.a.link!.set({ loss: 0.1 }, "A");
  await world.b.link!.set({ loss: 0.1 }, "B");
  device.limit(SLOW);
  // The first sample that the faults fill.
  const since = Math.ceil(timeOfDay(new Date()) / SAMPLE) * SAMPLE;
  const id = server.calls().split("\n").at(-1)!.split(" ")[0]!;
  const causes = ["Ada's upload lost", "Grace's download lost", "Cy's computer was too slow"];
  // Numbers of the samples since then that some sentence about a cause covers.
  const samples = (sentences: string[], cause: string) => {
    const about = sentences.filter((sentence) => sentence.includes(cause)).map(span);
    return new Set(about.flatMap(([from, to]) => numbers(after(since, from), after(since, to))));
  };
  const told = await until(
    MINUTES > 0 ? `${MINUTES} minutes of all faults` : "twenty seconds of all faults",
    async () => {
      const sentences = server.calls("show", id).split("\n");
      const least = Math.min(...causes.map((cause) => samples(sentences, cause).size));
      // A sample is written when it is over.
      const isOver = after(since, timeOfDay(new Date())) > MINUTES * 60 + 2 * SAMPLE;
      const done = MINUTES > 0 ? isOver : least >= 2;
      return { done: done ? sentences : undefined, seen: sentences };
    },
    90_000 + MINUTES * 60_000,
  );
  device.limit();
  const during = (sentence: string) => after(since, span(sentence)[1]) > 0;
  const text = told.filter(during).join("\n");
  // A sentence about anything else would send the operator to the wrong person.
  expect(text).not.toMatch(
    /Ada's (download|computer)|Grace's (upload|computer)|Cy's (upload|download)|Packets reached Cy/,
  );
  const shares = [...text.matchAll(/lost (\d+) %/g)].map(([, share]) => Number(share));
  for (const share of shares) expect(Math.abs(share - 10), text).toBeLessThanOrEqual(4);
  if (MINUTES === 0) return;
  const minutes = Array.from({ length: MINUTES }, (_, minute) => minute * 60);
  const right = causes.flatMap((cause) => {
    const covered = samples(told, cause);
    return minutes.filter((from) => numbers(from, from + 60).some((number) => covered.has(number)));
  });
  console.log(`${right.length} of ${causes.length * MINUTES} were right\n${text}`);
  expect(right.length, text).toBeGreaterThanOrEqual(0.9 * causes.length * MINUTES);
});

/** Seconds since midnight, on the clock of `moim calls`. */
function timeOfDay(at: Date): number {
  return at.getHours() * 3600 + at.getMinutes() * 60 + at.getSeconds();
}

/** Seconds from one time of day to another, also over midnight; negative if it is the earlier. */
function after(since: number, at: number): number {
  return ((at - since + 1.5 * DAY) % DAY) - DAY / 2;
}

/** Begin and end of a sentence `HH:MM:SS to HH:MM:SS: …`. */
function span(sentence: string): [number, number] {
  const times = [...sentence.matchAll(/(\d\d):(\d\d):(\d\d)/g)];
  const [from, to] = times.map(
    ([, hours, minutes, seconds]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
  );
  return [from!, to!];
}

/** Numbers of the samples between two times (s). */
function numbers(from: number, to: number): number[] {
  const first = Math.max(0, from / SAMPLE);
  return Array.from({ length: Math.max(0, to / SAMPLE - first) }, (_, n) => first + n);
}
