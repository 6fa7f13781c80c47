// Clients of other makes in a mesh, where they are the end that opens the link.

import { type ForeignOptions, joinForeign, received } from "../../support/foreign.ts";
import { expect, test } from "../../support/test.ts";

const CLIENTS: Record<string, Pick<ForeignOptions, "kinds" | "msid">> = {
  "that offers audio alone": { kinds: ["audio"] },
  "that offers video alone": { kinds: ["video"] },
  "that has nothing to send and waits for an offer": { kinds: [] },
  "whose descriptions name no stream": { kinds: ["audio", "video"], msid: "none" },
  "whose descriptions have a msid without a stream": { kinds: ["audio", "video"], msid: "dash" },
};

/** Kinds of media that are shown or played out; the fake microphones may be silent. */
async function played(): Promise<string[]> {
  const kinds: string[] = [];
  for (const { connection } of window.observed.peers) {
    for (const entry of [...(await connection.getStats()).values()]) {
      const { type, kind, framesDecoded, totalSamplesDuration } = entry;
      const amount = kind === "video" ? framesDecoded : totalSamplesDuration;
      if (type === "inbound-rtp" && amount > 0) kinds.push(kind);
    }
  }
  return kinds.sort();
}

for (const [client, options] of Object.entries(CLIENTS)) {
  test(`a client ${client} is seen and heard, and sees and hears`, async ({ open, server }) => {
    const ada = await open("Ada");
    await ada.enter("foreign");
    const foreign = await open("Foreign", { allow: [/404/] });
    await joinForeign(foreign.page, { url: server.url, room: "foreign", ...options });

    await expect
      .poll(() => received(foreign.page), { timeout: 20_000 })
      .toEqual(["audio", "video"]);
    await expect
      .poll(() => ada.others(1), { timeout: 20_000 })
      .toMatchObject([{ name: "Foreign", connection: "connected" }]);
    await expect.poll(() => ada.tab.evaluate(played)).toEqual([...options.kinds].sort());
  });
}

test("a camera in a format alone that the browser lacks is told on its tile, and heard", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  await ada.enter("odd");
  const foreign = await open("Foreign", { allow: [/404/] });
  const kinds = ["audio", "video"] as const;
  await joinForeign(foreign.page, { url: server.url, room: "odd", kinds, hasOddVideo: true });
  const tile = ada.page.locator("[data-testid=tile][data-name=Foreign]");
  await expect(tile).toHaveAttribute("data-connection", "connected", { timeout: 20_000 });
  await expect(tile.getByTestId("unplayable")).toBeVisible();
  await expect(tile).toHaveAccessibleName(/Foreign, .*can't play the format/);
  await expect.poll(() => ada.tab.evaluate(played)).toEqual(["audio"]);
});
