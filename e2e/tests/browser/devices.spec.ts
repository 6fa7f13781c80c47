import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS_REFUSING } from "../../support/chromium.ts";
import { expect, test } from "../../support/test.ts";

test.describe("where camera and microphone are refused", () => {
  let refusing: Browser;
  test.beforeAll(async () => {
    refusing = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS_REFUSING });
  });
  test.afterAll(() => refusing.close());

  test("the link that skips the preview joins without, and sees the others", async ({ open }) => {
    const ada = await open("Ada");
    await ada.enter("refused");
    const grace = await open("Grace", { browser: refusing });
    await grace.enter("refused");
    await grace.decodes(1);
    expect(await ada.others(1)).toMatchObject([{ name: "Grace", connection: "connected" }]);
  });

  test("the preview explains it, and one can still join", async ({ open }) => {
    const grace = await open("Grace", { browser: refusing });
    await grace.tab.goto(`${grace.url}/r/refused?name=Grace`);
    await expect(grace.page.getByRole("alert").or(grace.page.getByRole("status"))).toContainText(
      /camera/i,
    );
    await grace.join();
  });
});

for (const [name, situation] of [
  ["NotFoundError", "missing"],
  ["NotReadableError", "in use by another program"],
] as const) {
  test(`where the camera is ${situation}, the preview explains it, and one can still join`, async ({
    open,
  }) => {
    const grace = await open("Grace");
    await grace.page.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("as this test has it", name);
      };
    }, name);
    await grace.tab.goto(`${grace.url}/r/no-camera?name=Grace`);
    await expect(grace.page.getByRole("alert").or(grace.page.getByRole("status"))).toContainText(
      /camera/i,
    );
    await grace.join();
  });
}
