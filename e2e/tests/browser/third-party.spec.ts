// Third-party clients in a mesh, in which they make the first offer.

import { expect, test } from "../../support/test.ts";
import {
  joinThirdParty,
  received,
  type ThirdPartyOptions,
} from "../../support/third-party-client.ts";

const CLIENTS: Record<string, Pick<ThirdPartyOptions, "kinds" | "msid">> = {
  "that offers audio alone": { kinds: ["audio"] },
  "that offers video alone": { kinds: ["video"] },
  "that has nothing to send and waits for an offer": { kinds: [] },
  "whose descriptions have no msid": { kinds: ["audio", "video"], msid: "none" },
  "whose descriptions have an msid without a stream": { kinds: ["audio", "video"], msid: "dash" },
};

/** Kinds of media that are decoded or played out; the fake microphones may be silent. */
async function playedKinds(): Promise<string[]> {
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
  test(`a client ${client} exchanges media with the page`, async ({ open, server }) => {
    const ada = await open("Ada");
    await ada.enter("third-party");
    const client = await open("Third party", { allow: [/404/] });
    await joinThirdParty(client.page, { url: server.url, room: "third-party", ...options });

    await expect.poll(() => received(client.page), { timeout: 20_000 }).toEqual(["audio", "video"]);
    await expect
      .poll(() => ada.remoteTiles(1), { timeout: 20_000 })
      .toMatchObject([{ name: "Third party", connection: "connected" }]);
    await expect.poll(() => ada.tab.evaluate(playedKinds)).toEqual([...options.kinds].sort());
  });
}

test("a camera in an unsupported codec is marked on its tile, and the audio plays", async ({
  open,
  server,
}) => {
  const ada = await open("Ada");
  await ada.enter("codec");
  const client = await open("Third party", { allow: [/404/] });
  await joinThirdParty(client.page, {
    url: server.url,
    room: "codec",
    kinds: ["audio", "video"],
    hasUnknownCodec: true,
  });
  const tile = ada.page.locator('[data-testid=tile][data-name="Third party"]');
  await expect(tile).toHaveAttribute("data-connection", "connected", { timeout: 20_000 });
  await expect(tile.getByTestId("unplayable")).toBeVisible();
  await expect(tile).toHaveAccessibleName(/Third party, .*can't play the format/);
  await expect.poll(() => ada.tab.evaluate(playedKinds)).toEqual(["audio"]);
});
