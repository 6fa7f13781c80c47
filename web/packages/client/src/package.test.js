// The package beside the repository: its version, and what it may bring along.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const manifest = JSON.parse(read("../package.json"));

test("the library has the version of the server that it is made for", () => {
  const [, version] = /\[workspace\.package\][^[]*?\nversion = "(.*?)"/.exec(
    read("../../../../Cargo.toml"),
  );
  expect(manifest.version).toBe(version);
});

test("the library brings Socket.IO's client and nothing else", () => {
  expect(Object.keys(manifest.dependencies)).toEqual(["socket.io-client"]);
});

test("the example is a whole application of at most 100 lines", () => {
  const lines = read("../../example/main.ts").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(100);
});
