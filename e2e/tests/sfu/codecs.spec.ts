// Pictures in each encoding that the media server forwards, from one browser to the next.

import { meetAtServer } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

test.use({ flags: ["--topology", "sfu"] });

/** Two tiles beside each other, each of which needs more than half of what the camera gives. */
const LARGE = { width: 1920, height: 1200 };

const ENCODINGS = [
  { codec: "VP8" },
  { codec: "VP9" },
  { codec: "AV1" },
  { codec: "H264" },
  // One stream whose layers build on each other.
  { codec: "VP9", scalabilityMode: "L3T3_KEY" },
  { codec: "AV1", scalabilityMode: "L3T3_KEY" },
];

for (const { codec, scalabilityMode } of ENCODINGS) {
  const layers = scalabilityMode ? ` as ${scalabilityMode}` : "";
  test(`pictures in ${codec}${layers} are seen in all sizes`, async ({ open }) => {
    const ada = await open("Ada", { observer: { codec, scalabilityMode } });
    const grace = await open("Grace", { observer: { codec, camera: "small" } });
    await ada.enter(`in-${codec}${layers}`);
    await grace.enter(`in-${codec}${layers}`);
    await meetAtServer([ada, grace]);

    const pictures = async () => {
      const { connections, tiles } = await grace.report();
      const inbound = connections.flatMap((connection) => connection.inbound);
      const codecs = inbound.filter(({ kind }) => kind === "video").map((stream) => stream.codec);
      const { videoWidth = 0 } = tiles.find((tile) => !tile.self) ?? {};
      return { codecs: [...new Set(codecs)], videoWidth };
    };
    expect((await pictures()).codecs).toEqual([`video/${codec}`]);

    // In a small window a smaller picture is enough, and in a large one the large one comes again.
    const width = (what: string, is: (width: number) => boolean) =>
      until(what, async () => {
        const seen = await pictures();
        return { done: is(seen.videoWidth) || undefined, seen };
      });
    await grace.page.setViewportSize(LARGE);
    await width("the large picture", (it) => it > 640);
    await grace.page.setViewportSize({ width: 320, height: 480 });
    await width("a smaller picture", (it) => it > 0 && it <= 640);
    await grace.decodes(1);
    await grace.page.setViewportSize(LARGE);
    await width("the large picture again", (it) => it > 640);
    await grace.decodes(1);
  });
}
