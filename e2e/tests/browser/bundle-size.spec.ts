import type { Page, Request } from "@playwright/test";
import { expect, test } from "../../support/test.ts";

/** Limit (bytes) for the compressed scripts of the first load: phones should load it fast. */
const MAX_SCRIPT_BYTES = 150_000;
/** The same for those that a call adds, which load while its preview is shown. */
const MAX_CALL_BYTES = 200_000;
/** The server leaves smaller files as they are. */
const MIN_COMPRESSED_BYTES = 512;

/** Bytes of the compressed scripts of a view, by their addresses. */
async function scriptsOf(page: Page, url: string): Promise<Map<string, number>> {
  const finished: Request[] = [];
  const onFinished = (request: Request) => void finished.push(request);
  page.on("requestfinished", onFinished);
  await page.goto(url, { waitUntil: "networkidle" });
  page.off("requestfinished", onFinished);
  const sizes = new Map<string, number>();
  for (const request of finished) {
    const response = await request.response();
    const headers = (await response?.allHeaders()) ?? {};
    if (!headers["content-type"]?.includes("javascript")) continue;
    const { responseBodySize } = await request.sizes();
    if (responseBodySize >= MIN_COMPRESSED_BYTES) {
      expect(["br", "gzip", "zstd"], `${request.url()} comes compressed`).toContain(
        headers["content-encoding"],
      );
    }
    sizes.set(request.url(), responseBodySize);
  }
  return sizes;
}

const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, size) => total + size, 0);

test("the first load transfers less than 150 kB of script, and a call adds less than 200 kB", async ({
  open,
}) => {
  const ada = await open("Ada");
  const first = await scriptsOf(ada.page, `${ada.url}/`);
  for (const [url, size] of first) expect(size, `${url} has a size`).toBeGreaterThan(0);
  const total = sum(first.values());
  console.log(`first load: ${(total / 1000).toFixed(1)} kB of script`);
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThan(MAX_SCRIPT_BYTES);

  const preview = await scriptsOf(ada.page, `${ada.url}/r/size`);
  const added = sum([...preview].flatMap(([url, size]) => (first.has(url) ? [] : [size])));
  console.log(`a call: ${(added / 1000).toFixed(1)} kB more`);
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(MAX_CALL_BYTES);
});
