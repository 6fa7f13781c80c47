// Drawn portraits as fake camera video, for screenshots without the browser's test pattern.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";

const WIDTH = 1280;
const HEIGHT = 720;
const FRAMES = 6;

type Colour = readonly [red: number, green: number, blue: number];

export interface Portrait {
  wall: Colour;
  hair: Colour;
  skin: Colour;
  shirt: Colour;
  longHair: boolean;
}

/** Launches a browser whose camera shows this portrait. */
export async function launchChromiumWith(portrait: Portrait): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), "moim-e2e-camera-"));
  const file = join(folder, "portrait.y4m");
  writeFileSync(file, y4m(portrait));
  const args = [...CHROMIUM_FLAGS, `--use-file-for-fake-video-capture=${file}`];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  browser.on("disconnected", () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}

/** Uncompressed 4:2:0 video that loops seamlessly. */
function y4m(portrait: Portrait): Uint8Array {
  const parts: Uint8Array[] = [
    Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F6:1 Ip A1:1 C420jpeg\n`),
  ];
  for (let index = 0; index < FRAMES; index++) {
    const sway = Math.sin((2 * Math.PI * index) / FRAMES);
    parts.push(Buffer.from("FRAME\n"), frame(portrait, sway));
  }
  return Buffer.concat(parts);
}

function frame(portrait: Portrait, sway: number): Uint8Array {
  const luma = Buffer.alloc(WIDTH * HEIGHT);
  const blue = Buffer.alloc((WIDTH * HEIGHT) / 4);
  const red = Buffer.alloc((WIDTH * HEIGHT) / 4);
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0; column < WIDTH; column++) {
      const [r, g, b] = colourAt(portrait, column, row, sway);
      luma[row * WIDTH + column] = 0.299 * r + 0.587 * g + 0.114 * b;
      if (row % 2 === 1 || column % 2 === 1) continue;
      const chroma = (row / 2) * (WIDTH / 2) + column / 2;
      blue[chroma] = 128 - 0.169 * r - 0.331 * g + 0.5 * b;
      red[chroma] = 128 + 0.5 * r - 0.419 * g - 0.081 * b;
    }
  }
  return Buffer.concat([luma, blue, red]);
}

/** Colour of a pixel: ellipses with soft edges, drawn from back to front. */
function colourAt(portrait: Portrait, column: number, row: number, sway: number): Colour {
  const x = column - WIDTH / 2 - 6 * sway;
  const y = row - 300 - 2 * sway;
  let colour = mix(portrait.wall, shade(portrait.wall, 0.82), row / HEIGHT);
  const over = (paint: Colour, coverage: number) => {
    if (coverage > 0) colour = mix(colour, paint, Math.min(1, coverage));
  };
  if (portrait.longHair) over(portrait.hair, ellipse(x, y - 40, 150, 210));
  over(portrait.shirt, ellipse(x, y - 430, 330, 240));
  over(shade(portrait.skin, 0.88), ellipse(x, y - 165, 52, 90));
  over(portrait.hair, ellipse(x, y + 22, 132, 140));
  over(portrait.skin, ellipse(x, y - 12, 106, 134));
  over(portrait.hair, ellipse(x + 14, y + 108, 88, 48));
  for (const side of [-1, 1]) over(shade(portrait.hair, 0.7), ellipse(x - 42 * side, y + 2, 9, 10));
  const smile = y > 62 ? ellipse(x, y - 58, 36, 22) - ellipse(x, y - 50, 40, 20) : 0;
  over(shade(portrait.skin, 0.55), smile);
  return colour;
}

/** Fraction of a pixel covered by an ellipse, estimated from the distance to its edge. */
function ellipse(x: number, y: number, width: number, height: number): number {
  const radius = Math.sqrt((x / width) ** 2 + (y / height) ** 2);
  return Math.max(0, Math.min(1, (1 - radius) * Math.min(width, height) * 0.5 + 0.5));
}

function mix(from: Colour, to: Colour, fraction: number): Colour {
  const blend = (index: 0 | 1 | 2) => from[index] + (to[index] - from[index]) * fraction;
  return [blend(0), blend(1), blend(2)];
}

function shade(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}
