// Holds the imports of the library to its layers. Plain JavaScript, since the page is compiled
// without the types of Node.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = dirname(fileURLToPath(import.meta.url));

/** From the bottom: a layer imports itself and those before it. */
const LAYERS = [
  ["protocol.ts", "store.ts", "options.ts"],
  ["shared-files.ts", "statistics.ts"],
  ["api.ts"],
  ["signaling", "rtc"],
  ["devices", "files", "stats", "topology"],
  ["call"],
  ["client.ts"],
  ["index.ts"],
];

const files = readdirSync(ROOT, { recursive: true })
  .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$|^testing/.test(file))
  .map((file) => ({ file, imports: importsOf(file) }));

function importsOf(file) {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/from "(\..*?)"/g)].map(([, path]) =>
    relative(ROOT, join(ROOT, dirname(file), path)),
  );
}

/** The folder of a file, or the file itself at the root. */
const partOf = (file) => file.split("/")[0];
const layerOf = (file) => LAYERS.findIndex((parts) => parts.includes(partOf(file)));

test("every file belongs to a layer", () => {
  expect(files.map(({ file }) => file).filter((file) => layerOf(file) < 0)).toEqual([]);
});

test("imports lead to the same folder or to a lower layer", () => {
  const violations = files.flatMap(({ file, imports }) =>
    imports
      .filter((to) => partOf(to) !== partOf(file) && layerOf(to) >= layerOf(file))
      .map((to) => `${file} -> ${to}`),
  );
  expect(violations).toEqual([]);
});

test("no files import each other in a circle", () => {
  let left = files;
  for (let before = -1; left.length !== before; ) {
    before = left.length;
    const names = new Set(left.map(({ file }) => file));
    left = left.filter(({ imports }) => imports.some((to) => names.has(to)));
  }
  expect(left.map(({ file }) => file)).toEqual([]);
});
