// Builds `dist`: the library, and its types as one file that holds nothing internal.
// `--write-api` also writes `moim-client.api.md`, the public API as reviewers see it.
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";

process.chdir(import.meta.dirname);
const tool = (path, ...args) =>
  execFileSync(process.execPath, [`../../node_modules/${path}`, ...args], {
    stdio: ["ignore", 2, 2],
  });

for (const folder of ["target", "dist"]) rmSync(folder, { recursive: true, force: true });
tool("vite/bin/vite.js", "build", "--logLevel", "warn");
tool("typescript/bin/tsc", "--project", "tsconfig.json");
// Fails if `moim-client.api.md` is not current, or if a public type is not exported.
const mode = process.argv.includes("--write-api") ? ["--local"] : [];
tool("@microsoft/api-extractor/bin/api-extractor", "run", ...mode);
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) {
  copyFileSync(`../../../${name}`, `dist/${name}`);
}
