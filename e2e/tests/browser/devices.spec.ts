import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS_REFUSING } from "../../support/chromium.ts";
import type { ChromiumParticipant } from "../../support/participant.ts";
import { expect, test } from "../../support/test.ts";

let refusing: Browser;

test.beforeAll(async () => {
  refusing = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS_REFUSING });
});

test.afterAll(() => refusing.close());

test("with camera and microphone refused, the link that skips the preview still joins", async ({
  open,
}) => {
  const ada = await open("Ada");
  await ada.enter("refused");
  const grace = await open("Grace", { browser: refusing });
  await grace.enter("refused");
  await grace.decodes(1);
  await expect
    .poll(() => ada.others(1))
    .toMatchObject([{ name: "Grace", connection: "connected" }]);
});

async function explains(grace: ChromiumParticipant, explanation: RegExp): Promise<void> {
  await grace.tab.goto(`${grace.url}/r/explained?name=Grace`);
  await expect(grace.page.getByText(explanation)).toBeVisible();
  await grace.join();
}

test("a refused camera is explained, and one can join without", async ({ open }) => {
  await explains(await open("Grace", { browser: refusing }), /doesn't let this page use it/);
});

for (const [name, situation, explanation] of [
  ["NotFoundError", "missing", /No device was found/],
  ["NotReadableError", "used by another program", /Another program/],
] as const) {
  test(`a camera that is ${situation} is explained, and one can join without`, async ({ open }) => {
    const grace = await open("Grace");
    await grace.page.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("as this test has it", name);
      };
    }, name);
    await explains(grace, explanation);
  });
}
