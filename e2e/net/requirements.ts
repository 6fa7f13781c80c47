// What networks of our own need: root, iproute2 and iptables.

import { spawnSync } from "node:child_process";
import { test } from "@playwright/test";

/** What is missing here, if anything. */
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

/** Skips the tests of a file where networks can't be made, so that nobody overlooks it; in CI they fail instead. */
export function needNetworks(): void {
  const reason = missing();
  if (!reason) return;
  const sentence = `network tests can't run: ${reason} (they need root, iproute2 and iptables)`;
  if (process.env.CI) throw new Error(sentence);
  console.error(`\x1b[1;33mSKIPPED: ${sentence}\x1b[0m`);
  test.skip(true, sentence);
}
