// Browsers that trust a server's local CA, so that `turns:` is held to real certificates: browsers offer nobody a
// way around those of a TURN server.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import type { Browser as Firefox } from "puppeteer-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";
import { launchFirefox } from "./firefox.ts";
import type { Server } from "./server.ts";

/** A folder that ends with its browser. */
async function within<T>(
  what: (folder: string) => Promise<T>,
  ends: (browser: T, end: () => void) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-trust-"));
  const end = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const browser = await what(folder);
    ends(browser, end);
    return browser;
  } catch (error) {
    end();
    throw error;
  }
}

/** Puts the server's CA into a certificate store of NSS, which both browsers read. */
async function trust(server: Server, store: string): Promise<void> {
  const answer = await fetch(`${server.url}/ca.crt`);
  if (!answer.ok) throw new Error(`no CA: ${answer.status}`);
  mkdirSync(store, { recursive: true });
  const authority = join(store, "authority");
  writeFileSync(authority, Buffer.from(await answer.arrayBuffer()));
  const certutil = (...args: string[]) => execFileSync("certutil", [...args, "-d", `sql:${store}`]);
  certutil("-N", "--empty-password");
  certutil("-A", "-n", "moim", "-t", "C,,", "-i", authority);
}

/** Chromium looks for certificates of its user's at home. */
export function launchTrustingChromium(server: Server): Promise<Browser> {
  const launch = async (home: string) => {
    await trust(server, join(home, ".pki", "nssdb"));
    const env = { ...process.env, HOME: home };
    return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS, env });
  };
  return within(launch, (browser, end) => browser.on("disconnected", end));
}

/** Firefox looks for them in its profile. */
export function launchTrustingFirefox(server: Server): Promise<Firefox> {
  const launch = async (profile: string) => {
    await trust(server, profile);
    return launchFirefox(profile);
  };
  return within(launch, (browser, end) => browser.on("disconnected", end));
}
