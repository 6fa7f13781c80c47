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
    await expect
      .poll(async () => {
        const { connections } = await ada.report();
        return connections
          .flatMap(({ inbound }) => inbound)
          .filter(({ framesDecoded, audioEnergy }) => framesDecoded > 0 || audioEnergy > 0)
          .map(({ kind }) => kind)
          .sort();
      })
      .toEqual([...options.kinds].sort());
  });
}
