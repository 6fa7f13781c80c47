// The doctor's page in both browsers, and behind nginx as it is installed.

import { expectAccessible } from "../../support/accessibility.ts";
import { EXAMINATION_MS, examine, isOfNetwork } from "../../support/doctor.ts";
import { NginxProxy } from "../../support/nginx.ts";
import { PhoneTerminal } from "../../support/phone.ts";
import { takeScreenshots } from "../../support/screenshots.ts";
import { expect, test } from "../../support/test.ts";

/** The line is measured for 8 s by default; 3 tell as much here. */
const LINE_SECONDS = 3;

test("D9 both browsers find nothing wrong within 15 s, and contact this server alone", async ({
  open,
  pool,
  firefox,
  server,
}) => {
  // The monitors of the pages fail the test at a request to elsewhere, and at what the page's
  // Content Security Policy forbids.
  const ada = await open("Ada", {
    context: { permissions: ["clipboard-read", "clipboard-write"] },
  });
  const grace = await pool.openFirefox("Grace", firefox);
  const terminal = await PhoneTerminal.open(server.data);
  const both = [
    examine(ada.page, ada.url, LINE_SECONDS),
    examine(grace.tab, grace.url, LINE_SECONDS, terminal.id),
  ];
  for (const { codes, ms, text, checks } of await Promise.all(both)) {
    expect(codes).toEqual([]);
    expect(text).toContain("Calls work well here.");
    expect(ms).toBeLessThan(EXAMINATION_MS - 1_000 * (8 - LINE_SECONDS));
    expect([checks.udp, checks.tcp, checks.turnUdp]).toEqual(["Works", "Works", "Works"]);
    expect(checks.line).toContain("0 % lost");
  }

  // The operator has followed the other page.
  const { events, code } = await terminal.ended();
  const steps = events.filter(({ event }) => event === "step");
  expect(steps.find(({ check }) => check === "udp")?.outcome).toBe("passed");
  expect(steps).toHaveLength(12);
  expect([events[0]?.event, events.at(-1)?.findings, code]).toEqual(["opened", [], 0]);

  const device = (kind: string) =>
    ada.page.locator(`[data-testid="doctor-check"][data-check="${kind}"]`);
  await ada.page.getByTestId("doctor-devices").click();
  await expect(device("camera")).toContainText("Works");
  await expect(device("microphone")).toContainText("Works");
  for (const code of await ada.page.getByTestId("doctor-code").allTextContents()) {
    expect(isOfNetwork(code), code).toBe(false);
  }

  await ada.page.getByTestId("doctor-copy").click();
  await expect(ada.page.getByTestId("doctor-copy")).toHaveText("Report copied");
  const report = await ada.page.evaluate(() => navigator.clipboard.readText());
  expect(report).toContain("udp: passed");
  expect(report.replace(new URL(ada.url).host, "")).not.toMatch(/\d+\.\d+\.\d+\.\d+:|candidate/);

  await ada.page.getByTestId("doctor-send").click();
  await expect(ada.page.getByTestId("doctor-send")).toHaveText("Report sent");

  await expectAccessible(ada.page);
  await takeScreenshots(ada.page, "doctor-fine");
  await ada.page.getByTestId("doctor-again").press("Enter");
  await expect(ada.page.getByTestId("doctor")).toHaveAttribute("data-phase", "running");
});

test("D4 nginx without Upgrade is WS-EATEN, and a call works by polling", async ({
  open,
  server,
}) => {
  const nginx = await NginxProxy.to(server.port);
  try {
    const allow = [/console: .*(WebSocket|ERR_CONNECTION|Failed to load|502)/];
    const ada = await open("Ada", { url: nginx.url, allow });
    const { codes, text } = await examine(ada.page, nginx.url, 0);
    expect(codes).toEqual(["WS-EATEN"]);
    expect(text).toContain("/socket.io/");
    await takeScreenshots(ada.page, "doctor-ws-eaten");
    await ada.page.getByRole("combobox").selectOption("ko");
    await expect(ada.page.getByTestId("doctor-verdict")).toContainText("폴링");
    await takeScreenshots(ada.page, "doctor-ws-eaten-ko");
    await ada.page.getByRole("combobox").selectOption("en");

    const grace = await open("Grace");
    await grace.enter("polling");
    await ada.enter("polling");
    await ada.decodes(1);
    await grace.decodes(1);
  } finally {
    await nginx.stop();
  }
});
