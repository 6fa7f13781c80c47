// A frozen browser keeps the TCP connection of its WebSocket, but sends no media.

import { chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "../../support/chromium.ts";
import type { Participant } from "../../support/participant.ts";
import { waitForSfuCall } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

test.use({ flags: ["--topology", "sfu"] });

/** The server reports an interruption after 6.5 s of silence; the rest is for a busy machine. */
const DETECTION_MS = 12_000;

test("a frozen browser is shown as reconnecting, and as connected once it continues", async ({
  pool,
  open,
}) => {
  const frozen = await chromium.launchServer({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  pool.closeAtEnd(frozen);
  const browser = await chromium.connect(frozen.wsEndpoint());
  // The browser's processes form one process group.
  const signal = (name: "SIGSTOP" | "SIGCONT") => process.kill(-(frozen.process().pid ?? 0), name);
  try {
    const ada = await open("Ada", { observer: { camera: "small" } });
    const grace = await open("Grace", { browser, observer: { camera: "small" } });
    for (const person of [ada, grace]) await person.enter("frozen");
    await waitForSfuCall([ada, grace]);

    signal("SIGSTOP");
    await showsOther(ada, "reconnecting", DETECTION_MS);
    const tile = ada.page.locator("[data-testid=tile][data-name=Grace]");
    await expect(tile).toHaveAccessibleName(/Grace, Reconnecting/);
    signal("SIGCONT");
    await showsOther(ada, "connected");
    await waitForSfuCall([ada, grace]);
    // The tile was never removed.
    const removed = (await ada.tileChanges()).filter(({ change }) => change === "removed");
    expect(removed).toEqual([]);
  } finally {
    signal("SIGCONT");
  }
});

/** Waits until the tile of the other participant has this connection state. */
async function showsOther(
  person: Participant,
  connection: string,
  deadline?: number,
): Promise<void> {
  await until(
    `the other to be ${connection} at ${person.name}'s`,
    async () => {
      const other = (await person.report()).tiles.find(({ self }) => !self);
      return { done: other?.connection === connection || undefined, seen: other };
    },
    deadline,
  );
}
