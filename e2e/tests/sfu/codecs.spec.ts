// Video in each codec that the media server forwards, as simulcast or SVC, between two browsers.

import { waitForSfuCall } from "../../support/sfu.ts";
import { expect, test } from "../../support/test.ts";
import { until } from "../../support/until.ts";

test.use({ flags: ["--topology", "sfu"] });

/** Window in which each of two tiles needs more than half of the camera's resolution. */
const LARGE_WINDOW = { width: 1920, height: 1200 };

const ENCODINGS = [
  { codec: "VP8" },
  { codec: "VP9" },
  { codec: "AV1" },
  { codec: "H264" },
  // SVC: one stream with spatial and temporal layers.
  { codec: "VP9", scalabilityMode: "L3T3_KEY" },
  { codec: "AV1", scalabilityMode: "L3T3_KEY" },
];

for (const { codec, scalabilityMode } of ENCODINGS) {
  const layers = scalabilityMode ? ` as ${scalabilityMode}` : "";
  test(`video in ${codec}${layers} is forwarded in all layers`, async ({ open }) => {
    const ada = await open("Ada", { observer: { codec, scalabilityMode } });
    const grace = await open("Grace", { observer: { codec, camera: "small" } });
    await ada.enter(`in-${codec}${layers}`);
    await grace.enter(`in-${codec}${layers}`);
    await waitForSfuCall([ada, grace]);

    const receivedVideo = async () => {
      const { connections, tiles } = await grace.report();
      const inbound = connections.flatMap((connection) => connection.inbound);
      const codecs = inbound.filter(({ kind }) => kind === "video").map((stream) => stream.codec);
      const { videoWidth = 0 } = tiles.find((tile) => !tile.self) ?? {};
      return { codecs: [...new Set(codecs)], videoWidth };
    };
    expect((await receivedVideo()).codecs).toEqual([`video/${codec}`]);

    // A small window receives a lower layer, and a large one the highest again.
    const waitForWidth = (what: string, matches: (width: number) => boolean) =>
      until(what, async () => {
        const seen = await receivedVideo();
        return { done: matches(seen.videoWidth) || undefined, seen };
      });
    await grace.page.setViewportSize(LARGE_WINDOW);
    await waitForWidth("the highest layer", (width) => width > 640);
    await grace.page.setViewportSize({ width: 320, height: 480 });
    await waitForWidth("a lower layer", (width) => width > 0 && width <= 640);
    await grace.decodes(1);
    await grace.page.setViewportSize(LARGE_WINDOW);
    await waitForWidth("the highest layer again", (width) => width > 640);
    await grace.decodes(1);
  });
}
