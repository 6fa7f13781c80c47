import { expect, test } from "../../support/test.ts";

/** Limit (bytes) for the compressed scripts of the first load: phones should load it fast. */
const MAX_SCRIPT_BYTES = 150_000;

test("the first load transfers less than 150 kB of script", async ({ open }) => {
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
  expect(total).toBeLessThan(MAX_SCRIPT_BYTES);
});
