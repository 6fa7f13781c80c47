import { expect, test } from "../../support/test.ts";

/** Compressed size of the scripts that the first load fetches. */
const MOST_SCRIPT = 150_000;

test("the first load brings under 150 kB of script", async ({ open }) => {
  const ada = await open("Ada");
  const finished: import("@playwright/test").Request[] = [];
  ada.page.on("requestfinished", (request) => finished.push(request));
  await ada.page.goto(`${ada.url}/`, { waitUntil: "networkidle" });

  let total = 0;
  for (const request of finished) {
    const response = await request.response();
    const headers = (await response?.allHeaders()) ?? {};
    if (!headers["content-type"]?.includes("javascript")) continue;
    const { responseBodySize } = await request.sizes();
    expect(responseBodySize, `${request.url()} has a size`).toBeGreaterThan(0);
    expect(["br", "gzip", "zstd"], `${request.url()} comes compressed`).toContain(
      headers["content-encoding"],
    );
    total += responseBodySize;
  }
  console.log(`first load: ${(total / 1000).toFixed(1)} kB of script`);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(MOST_SCRIPT);
});
