// Browsers that trust the server's local CA. TURN over TLS needs this: browsers have no option to
// accept a TURN server's invalid certificate.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import type { Browser as Firefox } from "puppeteer-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";
import { launchFirefox } from "./firefox.ts";
import type { Server } from "./server.ts";

/** Launches a browser with a temporary folder, which is removed when the browser disconnects. */
async function launchWithFolder<T>(
  launch: (folder: string) => Promise<T>,
  onDisconnect: (browser: T, remove: () => void) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-trust-"));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await launch(folder);
    onDisconnect(browser, remove);
    return browser;
  } catch (error) {
    remove();
    throw error;
  }
}

/** Adds the server's CA to an NSS certificate store, which both browsers read. */
async function trustCa(server: Server, store: string): Promise<void> {
  const response = await fetch(`${server.url}/ca.crt`);
  if (!response.ok) throw new Error(`no CA: ${response.status}`);
  mkdirSync(store, { recursive: true });
  const authority = join(store, "authority");
  writeFileSync(authority, Buffer.from(await response.arrayBuffer()));
  const certutil = (...args: string[]) => execFileSync("certutil", [...args, "-d", `sql:${store}`]);
  certutil("-N", "--empty-password");
  certutil("-A", "-n", "moim", "-t", "C,,", "-i", authority);
}

/** Launches Chromium, which reads the user's certificate store in the home folder. */
export function launchTrustingChromium(server: Server): Promise<Browser> {
  const launch = async (home: string) => {
    await trustCa(server, join(home, ".pki", "nssdb"));
    const env = { ...process.env, HOME: home };
    return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS, env });
  };
  return launchWithFolder(launch, (browser, remove) => browser.on("disconnected", remove));
}

/** Launches Firefox, which reads the certificate store in its profile. */
export function launchTrustingFirefox(server: Server): Promise<Firefox> {
  const launch = async (profile: string) => {
    await trustCa(server, profile);
    return launchFirefox(profile);
  };
  return launchWithFolder(launch, (browser, remove) => browser.on("disconnected", remove));
}
