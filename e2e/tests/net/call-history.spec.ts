// The server's account of a call over bad links, for its operator.

import { requireNetworks } from "../../net/requirements.ts";
import { expect, test } from "../../net/test.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { until } from "../../support/until.ts";

requireNetworks();

test.use({ nat: "cone", links: "impaired", flags: ["--topology", "sfu"] });

test("W3 the sentences about a call name who lost packets, and in which direction", async ({
  sit,
  server,
  network: { world },
}) => {
  const ada = await sit("Ada", 0, { camera: "small" });
  const grace = await sit("Grace", 1, { camera: "small" });
  for (const person of [ada, grace]) await person.enter("history");
  await waitForSfuCall([ada, grace]);
  // Ada's uplink and Grace's downlink.
  await world.a.link!.set({ loss: 0.1 }, "A");
  await world.b.link!.set({ loss: 0.1 }, "B");
  const id = server.calls().split("\n").at(-1)!.split(" ")[0]!;
  // Ten seconds of faults are one row; two rows of each, at least.
  const told = await until("twenty seconds of both losses", async () => {
    const sentences = server.calls("show", id).split("\n");
    const seconds = ["Ada's upload lost", "Grace's download lost"].map((cause) => {
      const with_ = sentences.filter((sentence) => sentence.includes(cause));
      return with_.map(duration).reduce((sum, one) => sum + one, 0);
    });
    return { done: Math.min(...seconds) >= 20 ? sentences : undefined, seen: sentences };
  });
  const text = told.join("\n");
  // A sentence about anything else would send the operator to the wrong person.
  expect(text).not.toMatch(/Ada's download|Grace's upload|computer|server was too busy/);
  const shares = [...text.matchAll(/lost (\d+) %/g)].map(([, share]) => Number(share));
  for (const share of shares) expect(Math.abs(share - 10), text).toBeLessThanOrEqual(4);
});

/** Duration of a sentence `HH:MM:SS to HH:MM:SS: …`, in seconds. */
function duration(sentence: string): number {
  const [from, to] = [...sentence.matchAll(/(\d\d):(\d\d):(\d\d)/g)].map(
    ([, hours, minutes, seconds]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
  );
  return (to! - from! + 86_400) % 86_400;
}
