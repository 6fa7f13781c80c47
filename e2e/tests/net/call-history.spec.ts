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
const SLOW = Number(process.env.MOIM_SLOW_SHARE ?? 0.2);

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
  const id = server.calls().split("\n").at(-1)!.split(" ")[0]!;
  const causes = ["Ada's upload lost", "Grace's download lost", "Cy's computer was too slow"];
  // Ten seconds of faults are one row; two rows of each, at least.
  const told = await until(
    "twenty seconds of all faults",
    async () => {
      const sentences = server.calls("show", id).split("\n");
      const seconds = causes.map((cause) => {
        const with_ = sentences.filter((sentence) => sentence.includes(cause));
        return with_.map(duration).reduce((sum, one) => sum + one, 0);
      });
      return { done: Math.min(...seconds) >= 20 ? sentences : undefined, seen: sentences };
    },
    90_000,
  );
  device.limit();
  const text = told.join("\n");
  console.log(text);
  // A sentence about anything else would send the operator to the wrong person.
  expect(text).not.toMatch(
    /Ada's (download|computer)|Grace's (upload|computer)|Cy's (upload|download)|server was too busy/,
  );
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
