import type { Page, Request } from "@playwright/test";
import { expect, test } from "../../support/test.ts";

/** Limit (bytes) for the compressed scripts of the first load: phones should load it fast. */
const MAX_SCRIPT_BYTES = 150_000;
/** The same for those that a call adds, in its preview and once it is joined. */
const MAX_CALL_BYTES = 200_000;
/** The server leaves smaller files as they are. */
const MIN_COMPRESSED_BYTES = 512;
/** Time (ms) without requests after which a view has loaded all that it needs. */
const IDLE_MS = 500;

/** Bytes of the compressed scripts that a page has loaded, by their addresses. */
class Scripts {
  readonly sizes = new Map<string, number>();
  readonly #pending = new Set<Request>();
  readonly #finished: Request[] = [];
  #lastAt = 0;

  constructor(page: Page) {
    page.on("request", (request) => void this.#pending.add(request));
    page.on("requestfailed", (request) => this.#end(request));
    page.on("requestfinished", (request) => {
      this.#end(request);
      this.#finished.push(request);
    });
  }

  /** Sums up the scripts, once the network is idle. */
  async total(): Promise<number> {
    const isIdle = () => this.#pending.size === 0 && performance.now() - this.#lastAt > IDLE_MS;
    await expect.poll(isIdle, { timeout: 20_000 }).toBe(true);
    for (const request of this.#finished.splice(0)) {
      const response = await request.response();
      const headers = (await response?.allHeaders()) ?? {};
      if (!headers["content-type"]?.includes("javascript")) continue;
      const { responseBodySize } = await request.sizes();
      // Chromium does not report that of a worker's script.
      const size = responseBodySize || Number(headers["content-length"]);
      expect(size, `${request.url()} has a size`).toBeGreaterThan(0);
      if (size >= MIN_COMPRESSED_BYTES) {
        expect(["br", "gzip", "zstd"], `${request.url()} comes compressed`).toContain(
          headers["content-encoding"],
        );
      }
      this.sizes.set(request.url(), size);
    }
    return [...this.sizes.values()].reduce((total, size) => total + size, 0);
  }

  #end(request: Request): void {
    this.#pending.delete(request);
    this.#lastAt = performance.now();
  }
}

test("the first load transfers less than 150 kB of script, and a call adds less than 200 kB", async ({
  open,
}) => {
  const ada = await open("Ada");
  const scripts = new Scripts(ada.page);
  await ada.page.goto(`${ada.url}/?name=Ada`);
  const first = await scripts.total();
  console.log(`first load: ${(first / 1000).toFixed(1)} kB of script`);
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(MAX_SCRIPT_BYTES);

  // Within the page, which keeps what it has loaded.
  await ada.page.getByTestId("new-room-name").fill("size");
  await ada.page.getByTestId("create-room").click();
  await ada.waitForPreview();
  const preview = (await scripts.total()) - first;
  await ada.join();
  const call = (await scripts.total()) - first;
  console.log(`a call: ${(call / 1000).toFixed(1)} kB more, ${preview} bytes in its preview`);
  expect(preview).toBeGreaterThan(0);
  expect(call).toBeLessThan(MAX_CALL_BYTES);
  // What loads later in the call is counted as well.
  await ada.page.getByTestId("open-camera-menu").click();
  await ada.page.getByTestId("background-strong").check();
  await expect
    .poll(async () => (await scripts.total()) - first, { timeout: 20_000 })
    .toBeGreaterThan(call);
});
