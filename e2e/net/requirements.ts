// Requirements of the network tests: root, iproute2 and iptables.

import { spawnSync } from "node:child_process";
import { test } from "@playwright/test";

/** Returns what is missing on this machine, if anything. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const [program, probe] of [
    ["ip", "-V"],
    ["iptables", "--version"],
  ] as const) {
    if (spawnSync(program, [probe]).status !== 0) return `no ${program}`;
  }
  return undefined;
}

/** Skips the tests of a file, with a visible message, if a requirement is missing. Fails in CI. */
export function requireNetworks(): void {
  const reason = missing();
  if (!reason) return;
  const message = `network tests can't run: ${reason} (they need root, iproute2 and iptables)`;
  if (process.env.CI) throw new Error(message);
  console.error(`\x1b[1;33mSKIPPED: ${message}\x1b[0m`);
  test.skip(true, message);
}
