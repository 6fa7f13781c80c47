// What lines do to media by way of the media server: narrow, lossy and slow ones.

import { needNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";
import { meetAtServer } from "../../support/sfu.ts";
import { longestGap, momentWhen, now, record, recorded } from "../../support/timeline.ts";

needNetworks();

// How long pictures stand still is measured: what else the machine does just then may spoil it.
test.describe.configure({ retries: 2 });

test.use({ nat: "cone", lines: "faulty", flags: ["--topology", "sfu"] });

/** A quarter of a second's worth of what the line carries may wait for it. */
const carrying = (bitsPerSecond: number) => ({ bitsPerSecond, queueBytes: bitsPerSecond / 32 });

test("a line that narrows costs its end some of the picture, no sound, and nobody else anything", async ({
  sit,
  network,
}) => {
  const small = { camera: "small" } as const;
  const ada = await sit("Ada", 0, small);
  const hedy = await sit("Hedy", 0, small);
  const grace = await sit("Grace", 1, small);
  const line = network.world.b.line!;
  await line.set(carrying(3_000_000), "B");
  for (const person of [ada, hedy, grace]) await person.enter("narrow");
  await meetAtServer([ada, hedy, grace]);
  for (const person of [grace, hedy]) await record(person, ada);
  await momentWhen(grace, ada, "at its best", 0, ({ height }) => height === 360);
  await momentWhen(hedy, ada, "at its best", 0, ({ height }) => height === 360);

  const [narrowed, before] = [await now(grace, ada), await now(hedy, ada)];
  await line.set(carrying(500_000), "B");
  const down = await momentWhen(grace, ada, "smaller", narrowed, ({ height }) => height < 360);
  const settled = narrowed + down;
  await momentWhen(grace, ada, "seen so for a while", settled, ({ at }) => at > settled + 5_000);
  const widened = await now(grace, ada);
  const after = await now(hedy, ada);
  await line.set(carrying(3_000_000), "B");
  const up = await momentWhen(grace, ada, "at its best again", widened, (m) => m.height === 360);

  const [byGrace, byHedy] = [await recorded(grace, ada), await recorded(hedy, ada)];
  const silence = longestGap(byGrace, "voicePackets");
  const freezes = (byGrace.at(-1)?.freezes ?? 0) - (byGrace[0]?.freezes ?? 0);
  const frozen = (byGrace.at(-1)?.frozen ?? 0) - (byGrace[0]?.frozen ?? 0);
  console.log("narrowed and widened", { down, up, silence, freezes, frozen });
  expect(down).toBeLessThan(3_000);
  expect(up).toBeLessThan(15_000);
  expect(silence).toBeLessThan(1_000);
  const meanwhile = byHedy.filter(({ at }) => at > before && at < after);
  expect(new Set(meanwhile.map(({ height }) => height))).toEqual(new Set([360]));
});

test("over a line that loses 5 % and takes 100 ms there is sound and picture all the time", async ({
  sit,
  network,
}) => {
  const small = { camera: "small" } as const;
  const ada = await sit("Ada", 0, small);
  const grace = await sit("Grace", 1, small);
  await network.world.b.line!.set({ delayMs: 100, loss: 0.05 });
  for (const person of [ada, grace]) await person.enter("lossy");
  await meetAtServer([ada, grace]);
  await record(grace, ada);
  await record(ada, grace);
  const HALF = 15_000;
  await momentWhen(grace, ada, "seen for a while", 0, ({ at }) => at > 2 * HALF);
  for (const [person, other] of [
    [grace, ada],
    [ada, grace],
  ] as const) {
    const moments = await recorded(person, other);
    const [first, last] = [moments[0]!, moments.at(-1)!];
    const middle = moments.find(({ at }) => at > HALF)!;
    const seen = {
      frames: last.frames - first.frames,
      silence: longestGap(moments, "voicePackets"),
      still: longestGap(moments, "frames"),
      freezes: [middle.freezes - first.freezes, last.freezes - middle.freezes],
      frozen: [middle.frozen - first.frozen, last.frozen - middle.frozen],
    };
    console.log(`${person.name} over the lossy line`, seen);
    expect(seen.silence).toBeLessThan(1_000);
    expect(seen.still).toBeLessThan(2_000);
    // Of fifteen a second, two thirds.
    expect(seen.frames / ((last.at - first.at) / 1000)).toBeGreaterThan(10);
    // One a second at Ada's, did the page not have pictures held until repeats have come.
    expect(seen.freezes[1]).toBeLessThan(8);
  }
});
