import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS_DENYING_DEVICES } from "../../support/chromium.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

let denying: Browser;

test.beforeAll(async () => {
  denying = await chromium.launch({
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS_DENYING_DEVICES,
  });
});

test.afterAll(() => denying.close());

test("the link that skips the preview joins even if camera and microphone are denied", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.enter("refused");
  const grace = await open("Grace", { browser: denying });
  await grace.enter("refused");
  await grace.decodes(1);
  await expect
    .poll(() => ada.remoteTiles(1))
    .toMatchObject([{ name: "Grace", connection: "connected" }]);
});

async function expectExplanation(grace: ChromiumParticipant, explanation: RegExp): Promise<void> {
  await grace.tab.goto(`${grace.url}/r/explained?name=Grace`);
  await expect(grace.page.getByText(explanation)).toBeVisible();
  await grace.join();
}

test("a denied camera is explained, and joining works without it", async ({ open }) => {
  await expectExplanation(
    await open("Grace", { browser: denying }),
    /doesn't let this page use it/,
  );
});

for (const [name, situation, explanation] of [
  ["NotFoundError", "missing", /No device was found/],
  ["NotReadableError", "used by another program", /Another program/],
] as const) {
  test(`a camera that is ${situation} is explained, and joining works without it`, async ({
    open,
  }) => {
    const grace = await open("Grace");
    await grace.page.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("failed by the test", name);
      };
    }, name);
    await expectExplanation(grace, explanation);
  });
}
