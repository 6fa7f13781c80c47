import { defineConfig } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "./support/chromium.ts";

export default defineConfig({
  outputDir: "results",
  // One test at a time: a call of three uses all of a small machine.
  workers: 1,
  fullyParallel: false,
  // Real time on a machine that other work shares. One that needs it is listed as flaky.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: !!process.env.CI,
  // Tests wait for conditions with their own deadlines; this only bounds one that hangs.
  timeout: 150_000,
  reporter: [["list"]],
  use: {
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_FLAGS },
    viewport: { width: 1280, height: 800 },
    locale: "en-US",
  },
  projects: [
    { name: "browser", testDir: "tests/browser" },
    { name: "headless", testDir: "tests/headless" },
    { name: "net", testDir: "tests/net" },
    { name: "sfu", testDir: "tests/sfu" },
  ],
});
