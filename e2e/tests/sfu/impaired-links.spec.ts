// Media through the media server over links with little bandwidth, loss and delay.

import { requireNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";
import {
  longestGap,
  recordedUntil,
  type Sample,
  samplesOf,
  startRecording,
  timeUntil,
} from "../../support/recording.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { until } from "../../support/until.ts";
import { askWhy } from "../../support/why.ts";

requireNetworks();

// Freezes are measured in real time, so other load on the machine can fail a test.
test.describe.configure({ retries: 2 });

test.use({ nat: "cone", links: "impaired", flags: ["--topology", "sfu"] });

/** A bottleneck whose queue holds a quarter of a second. */
const bottleneck = (bitsPerSecond: number) => ({ bitsPerSecond, queueBytes: bitsPerSecond / 32 });

test("less bandwidth on a link lowers the video of its viewer only, and keeps the audio", async ({
  sit,
  network,
}) => {
  const small = { camera: "small" } as const;
  const ada = await sit("Ada", 0, small);
  const hedy = await sit("Hedy", 0, small);
  const grace = await sit("Grace", 1, small);
  const link = network.world.b.link!;
  await link.set(bottleneck(3_000_000), "B");
  for (const person of [ada, hedy, grace]) await person.enter("narrow");
  await waitForSfuCall([ada, hedy, grace]);
  for (const person of [grace, hedy]) await startRecording(person, ada);
  await timeUntil(grace, ada, "at full height", 0, ({ height }) => height === 360);
  await timeUntil(hedy, ada, "at full height", 0, ({ height }) => height === 360);

  const reducedAt = await recordedUntil(grace, ada);
  const reducedAtHedy = await recordedUntil(hedy, ada);
  await link.set(bottleneck(500_000), "B");
  const down = await timeUntil(grace, ada, "lower", reducedAt, ({ height }) => height < 360);
  const settled = reducedAt + down;
  await timeUntil(grace, ada, "lower for a while", settled, ({ at }) => at > settled + 5_000);
  const restoredAt = await recordedUntil(grace, ada);
  const restoredAtHedy = await recordedUntil(hedy, ada);
  await link.set(bottleneck(3_000_000), "B");
  const isFull = ({ height }: Sample) => height === 360;
  const up = await timeUntil(grace, ada, "at full height again", restoredAt, isFull);

  const atGrace = await samplesOf(grace, ada);
  const atHedy = await samplesOf(hedy, ada);
  const audioGap = longestGap(atGrace, "audioPackets");
  const freezes = (atGrace.at(-1)?.freezes ?? 0) - (atGrace[0]?.freezes ?? 0);
  const freezeSeconds = (atGrace.at(-1)?.freezeSeconds ?? 0) - (atGrace[0]?.freezeSeconds ?? 0);
  console.log("bandwidth reduced and restored", { down, up, audioGap, freezes, freezeSeconds });
  expect(down).toBeLessThan(3_000);
  expect(up).toBeLessThan(15_000);
  expect(audioGap).toBeLessThan(1_000);
  const meanwhile = atHedy.filter(({ at }) => at > reducedAtHedy && at < restoredAtHedy);
  expect(new Set(meanwhile.map(({ height }) => height))).toEqual(new Set([360]));
});

test("audio and video continue over a link with 5 % loss and 100 ms delay", async ({
  sit,
  network,
}) => {
  const small = { camera: "small" } as const;
  const ada = await sit("Ada", 0, small);
  const grace = await sit("Grace", 1, small);
  await network.world.b.link!.set({ delayMs: 100, loss: 0.05 });
  for (const person of [ada, grace]) await person.enter("lossy");
  await waitForSfuCall([ada, grace]);
  await startRecording(grace, ada);
  await startRecording(ada, grace);
  const HALF_MS = 15_000;
  await timeUntil(grace, ada, "recorded for a while", 0, ({ at }) => at > 2 * HALF_MS);
  for (const [person, other] of [
    [grace, ada],
    [ada, grace],
  ] as const) {
    const samples = await samplesOf(person, other);
    const first = samples[0]!;
    const middle = samples.find(({ at }) => at > HALF_MS)!;
    const last = samples.at(-1)!;
    const result = {
      frames: last.frames - first.frames,
      audioGap: longestGap(samples, "audioPackets"),
      videoGap: longestGap(samples, "frames"),
      freezes: [middle.freezes - first.freezes, last.freezes - middle.freezes],
      freezeSeconds: [
        middle.freezeSeconds - first.freezeSeconds,
        last.freezeSeconds - middle.freezeSeconds,
      ],
    };
    console.log(`${person.name} over the lossy link`, result);
    expect(result.audioGap).toBeLessThan(1_000);
    expect(result.videoGap).toBeLessThan(2_000);
    // Two thirds of the 15 frames per second that are sent.
    expect(result.frames / ((last.at - first.at) / 1000)).toBeGreaterThan(10);
    // Without a jitter buffer that waits for retransmissions, Ada would see one freeze per second.
    expect(result.freezes[1]).toBeLessThan(8);
  }
  await grace.tab.click("open-stats");
  // It judges the last 20 s, in which chance may have lost few of the one direction.
  const text = await until("both losses to be named", async () => {
    const { codes, text } = await askWhy(grace);
    console.log("why", codes);
    const both = ["LINE-LOSS-UP", "LINE-LOSS-DOWN"].every((code) => codes.includes(code));
    return { done: both ? text : undefined, seen: text };
  });
  expect(text).toMatch(/[3-8] % of what you send is lost/);
  await takeScreenshots(grace.page, "why");
  await grace.page.keyboard.press("Escape");
});
