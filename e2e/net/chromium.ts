// Chromium inside a network namespace: Playwright launches a script that enters the namespace, and
// controls the browser through the inherited pipe.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS_BEHIND_NAT } from "../support/chromium.ts";
import type { Namespace } from "./namespace.ts";

/** `before` is a shell command that runs before the browser. */
export async function launchChromiumIn(
  host: Namespace,
  flags: string[] = [],
  before = ":",
): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-chromium-"));
  const executablePath = join(folder, "chromium");
  writeFileSync(
    executablePath,
    `#!/bin/sh\n${before}\nexec ${host.within.join(" ")} ${CHROMIUM} "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const browser = await chromium.launch({
    executablePath,
    args: [...CHROMIUM_FLAGS_BEHIND_NAT, ...flags],
  });
  browser.on("disconnected", () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}
