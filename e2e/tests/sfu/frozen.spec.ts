// Somebody whose browser stops dead keeps its WebSocket's TCP connection, but sends no media.

import { chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "../../support/chromium.ts";
import type { Participant } from "../../support/participant.ts";
import { meetAtServer } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

test.use({ flags: ["--topology", "sfu"] });

/** The server counts a peer as interrupted after 6.5 s of silence; the rest is for a busy machine. */
const NOTICED_MS = 12_000;

test("a browser that freezes is shown as reconnecting, and as connected once it goes on", async ({
  company,
  open,
}) => {
  const freezer = await chromium.launchServer({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  company.bring(freezer);
  const browser = await chromium.connect(freezer.wsEndpoint());
  // Its renderers, and the process that holds its sockets, are all of one group.
  const signal = (name: "SIGSTOP" | "SIGCONT") => process.kill(-(freezer.process().pid ?? 0), name);
  try {
    const ada = await open("Ada", { observer: { camera: "small" } });
    const grace = await open("Grace", { browser, observer: { camera: "small" } });
    for (const person of [ada, grace]) await person.enter("frozen");
    await meetAtServer([ada, grace]);

    signal("SIGSTOP");
    await showsOther(ada, "reconnecting", NOTICED_MS);
    const tile = ada.page.locator("[data-testid=tile][data-name=Grace]");
    await expect(tile).toHaveAccessibleName(/Grace, Reconnecting/);
    signal("SIGCONT");
    await showsOther(ada, "connected");
    await meetAtServer([ada, grace]);
    // It was there all the time.
    const gone = (await ada.tileChanges()).filter(({ change }) => change === "removed");
    expect(gone).toEqual([]);
  } finally {
    signal("SIGCONT");
  }
});

/** Waits until the tile of the one other shows this connection. */
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
