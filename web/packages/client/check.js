// Checks the package as it would be published: entry points, types, and what an importer gets.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

process.chdir(import.meta.dirname);
const run = (command, ...args) => execFileSync(command, args, { stdio: ["ignore", "pipe", 2] });
const tool = (path, ...args) =>
  execFileSync(process.execPath, [`../../node_modules/${path}`, ...args], { stdio: "inherit" });

const folder = mkdtempSync(join(tmpdir(), "moim-client-"));
try {
  const [{ filename }] = JSON.parse(run("npm", "pack", "--json", "--pack-destination", folder));
  const tarball = join(folder, filename);
  tool("publint/src/cli.js", "run", tarball, "--strict");
  // The package is for bundlers and browsers, as ES modules only.
  tool("@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only");
} finally {
  rmSync(folder, { recursive: true });
}
