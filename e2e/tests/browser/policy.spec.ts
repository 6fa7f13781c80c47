// Acceptance check 33: with every feature in use, nothing violates the Content Security Policy, in
// documents and workers alike.

import type { ChromiumParticipant } from "../../support/participant.ts";
import { PolicyReporter } from "../../support/policy-reporter.ts";
import { seesScreenOf } from "../../support/screen.ts";
import { expect, test } from "../../support/test.ts";

/** Uses what the lobby has: tests of devices, settings, effects, and the ways to invite. */
async function useLobby({ page }: ChromiumParticipant): Promise<void> {
  await page.getByTestId("test-speaker").click();
  await page.getByTestId("test-mic").click();
  await page.getByTestId("invite-people").click();
  await page.getByTestId("invite-qr").click();
  await expect(page.getByTestId("qr-code")).toBeVisible();
  await page.getByTestId("invite-calendar").click();
  const calendar = page.waitForEvent("download");
  await page.getByTestId("invite-start").fill("2027-01-05T09:30");
  await page.getByTestId("invite-ics").click();
  await calendar;
  await page.keyboard.press("Escape");
  await page.getByTestId("media-settings").click();
  await page.getByTestId("noise").selectOption("strong");
  await expect(page.getByTestId("noise-failed")).toBeHidden();
  await page.getByTestId("background-strong").check();
  await expect(page.getByTestId("preview")).toHaveJSProperty("paused", false);
  await page.getByTestId("background-room").check();
  await page.keyboard.press("Escape");
}

test("no feature violates the policy, and its report-only twin collects what would", async ({
  open,
  server,
}) => {
  test.setTimeout(120_000);
  const reporter = await PolicyReporter.to(server.port);
  try {
    const { url } = reporter;
    const ada = await open("Ada", {
      url,
      context: { locale: "ko-KR" },
      observer: { camera: "small" },
      allow: [/violates|Refused|(image|worker)\.example|Failed to load resource|WebSocket/],
    });
    // The proxy ends before her page does.
    const grace = await open("Grace", {
      url,
      observer: { camera: "small" },
      allow: [/WebSocket|ERR_CONNECTION/],
    });
    const { page } = ada;
    await ada.tab.goto(`${url}/?name=Ada`);
    await expect(page.getByTestId("create-room")).toBeVisible();
    await ada.openPreview("policy");
    await useLobby(ada);
    await ada.join();
    await grace.enter("policy");
    await ada.decodes(1);
    await grace.decodes(1);

    await ada.tab.click("chat-open");
    await grace.tab.click("chat-open");
    await ada.tab.fill("chat-input", "see https://example.org/a");
    await ada.tab.click("chat-send");
    const buffer = Buffer.alloc(300_000, "moim");
    const files = [{ name: "notes.txt", mimeType: "text/plain", buffer }];
    await page.getByTestId("chat").locator("input[type=file]").setInputFiles(files);
    await expect(page.getByTestId("staged").getByRole("listitem")).toHaveCount(1);
    await ada.tab.click("chat-send");
    const download = grace.page.waitForEvent("download");
    await grace.page.getByTestId("file-receive").click();
    await download;

    await ada.tab.click("toggle-screen");
    await seesScreenOf(grace, ada);
    await page.getByTestId("open-reactions").click();
    await page.locator('[data-emoji="👍"]').click();
    await page.keyboard.press("Escape");
    await ada.tab.click("toggle-hand");
    await page.getByTestId("open-more").click();
    await page.getByTestId("open-polls").click();
    await page.getByTestId("poll-new").click();
    await page.getByTestId("poll-question").fill("Tea?");
    await page.getByTestId("poll-option").nth(0).fill("Yes");
    await page.getByTestId("poll-option").nth(1).fill("No");
    await page.getByTestId("poll-start").click();
    await expect(page.getByTestId("poll")).toHaveCount(1);
    await page.getByTestId("open-people").click();
    await page.getByTestId("make-invitation").click();
    await expect(page.getByTestId("invitation-link")).toBeVisible();
    await page.getByTestId("open-stats").click();
    await expect(page.getByTestId("stats-line")).toHaveCount(1);
    await page.getByTestId("open-settings").click();
    await expect(page.getByTestId("settings")).toBeVisible();
    for (const tab of ["media", "notices", "access", "language", "shortcuts"]) {
      await page.getByTestId(`settings-${tab}`).click();
    }
    await page.keyboard.press("Escape");
    await grace.decodes(1);
    await ada.tab.click("leave");
    await expect(page.getByTestId("left")).toBeVisible();
    for (const view of ["admin", "doctor"]) {
      await page.goto(`${url}/${view}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    }
    expect(reporter.twins).toBeGreaterThan(10);
    expect(reporter.reports).toEqual([]);

    // What would violate it is reported, from a document and from a worker of the page.
    await page.evaluate(() => {
      const image = new Image();
      image.src = "https://image.example/";
      const code = new Blob(['fetch("https://worker.example/").catch(() => {})']);
      new Worker(URL.createObjectURL(code));
    });
    await expect
      .poll(() => reporter.reports.join("\n"))
      .toMatch(/img-src blocked https:\/\/image\.example/);
    await expect
      .poll(() => reporter.reports.join("\n"))
      .toMatch(/connect-src blocked https:\/\/worker\.example/);
    await page.evaluate(() => {
      window.observed.violations = [];
    });
  } finally {
    await reporter.close();
  }
});
