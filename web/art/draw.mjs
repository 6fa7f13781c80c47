// Draws the SVG files of this folder as PNG into public/icons, by a Chromium without a window.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const pictures = [
  ["icon.svg", "icon-192.png", 192, 192],
  ["icon.svg", "icon-512.png", 512, 512],
  ["maskable.svg", "maskable-512.png", 512, 512],
  ["apple.svg", "apple-touch-icon.png", 180, 180],
  ["preview.svg", "preview.png", 1200, 630],
];

for (const [source, picture, width, height] of pictures) {
  execFileSync(process.env.CHROMIUM ?? "/usr/bin/chromium", [
    "--headless",
    "--no-sandbox",
    "--hide-scrollbars",
    "--default-background-color=00000000",
    `--window-size=${width},${height}`,
    `--screenshot=${join(here, "../public/icons", picture)}`,
    pathToFileURL(join(here, source)).href,
  ]);
}
