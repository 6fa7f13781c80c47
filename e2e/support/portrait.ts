// Drawn people as camera video, for screenshots without the browser's test pattern.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";

const BACKGROUNDS = join(import.meta.dirname, "../../web/src/ui/devices/backgrounds");

export interface Portrait {
  background: "room" | "hills" | "lights";
  hair: "long" | "short" | "bun" | "curls";
  hairColour: string;
  skin: string;
  shirt: string;
  glasses?: boolean;
  headphones?: boolean;
}

/** Lets the camera of every page opened from now on show this person. */
export async function drawPortrait(page: Page, portrait: Portrait): Promise<void> {
  const picture = readFileSync(join(BACKGROUNDS, `${portrait.background}.svg`));
  const background = `data:image/svg+xml;base64,${picture.toString("base64")}`;
  await page.addInitScript(installPortrait, { ...portrait, background });
}

/** Self-contained: it is sent to the page as text. */
function installPortrait(portrait: Omit<Portrait, "background"> & { background: string }): void {
  const media = navigator.mediaDevices;
  // `about:blank` has no media devices.
  if (!media) return;
  const { hair, hairColour, skin, shirt } = portrait;
  const canvas = document.createElement("canvas");
  canvas.width = 1280;
  canvas.height = 720;
  const context = canvas.getContext("2d");
  if (!context) return;
  // Drawn once: a blur of each frame would take a processor.
  const wall = document.createElement("canvas");
  wall.width = canvas.width;
  wall.height = canvas.height;
  const picture = new Image();
  picture.onload = () => {
    const background = wall.getContext("2d");
    if (!background) return;
    background.filter = "blur(3px)";
    background.drawImage(picture, 0, 0, wall.width, wall.height);
  };
  picture.src = portrait.background;

  const fill = (colour: string, path: () => void) => {
    context.fillStyle = colour;
    context.beginPath();
    path();
    context.fill();
  };
  const stroke = (colour: string, width: number, path: () => void) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineCap = "round";
    context.beginPath();
    path();
    context.stroke();
  };
  const oval = (x: number, y: number, width: number, height: number) => () =>
    context.ellipse(x, y, width, height, 0, 0, 2 * Math.PI);
  const SHADE = "rgb(40 20 10 / 16%)";

  const backOfHair = () => {
    if (hair === "long") {
      fill(hairColour, () => context.roundRect(-158, -210, 316, 430, [158, 158, 70, 70]));
    } else if (hair === "bun") {
      fill(hairColour, oval(0, -222, 62, 58));
      fill(hairColour, oval(0, -70, 140, 150));
    } else if (hair === "curls") {
      for (let i = 0; i < 13; i++) {
        const angle = Math.PI * (0.85 + (1.3 * i) / 12);
        fill(hairColour, oval(142 * Math.cos(angle), -58 + 140 * Math.sin(angle), 56, 56));
      }
    } else fill(hairColour, oval(0, -70, 136, 150));
  };
  const frontOfHair = () => {
    fill(hairColour, () => {
      context.moveTo(-128, -30);
      context.bezierCurveTo(-150, -230, 150, -236, 128, -30);
      if (hair === "short") {
        context.bezierCurveTo(116, -110, 60, -130, 10, -118);
        context.bezierCurveTo(-50, -104, -104, -100, -128, -30);
      } else {
        context.bezierCurveTo(112, -96, 70, -132, 30, -140);
        context.bezierCurveTo(-10, -96, -96, -92, -128, -30);
      }
    });
  };

  const draw = () => {
    const seconds = performance.now() / 1000;
    context.drawImage(wall, 0, 0);
    context.save();
    context.translate(640 + 5 * Math.sin(seconds), 348 + 3 * Math.sin(1.7 * seconds));
    backOfHair();
    // Shoulders, neck and the shadow of the head.
    fill(shirt, () => {
      context.moveTo(-370, 420);
      context.bezierCurveTo(-350, 250, -220, 226, -90, 196);
      context.quadraticCurveTo(0, 262, 90, 196);
      context.bezierCurveTo(220, 226, 350, 250, 370, 420);
    });
    fill(skin, () => {
      context.moveTo(-62, 60);
      context.lineTo(-62, 176);
      context.quadraticCurveTo(0, 262, 62, 176);
      context.lineTo(62, 60);
    });
    fill(SHADE, () => {
      context.moveTo(-62, 108);
      context.quadraticCurveTo(0, 190, 62, 108);
      context.lineTo(62, 60);
      context.lineTo(-62, 60);
    });
    stroke("rgb(255 255 255 / 28%)", 8, () => {
      context.moveTo(-90, 200);
      context.quadraticCurveTo(0, 264, 90, 200);
    });
    for (const side of [-1, 1]) fill(skin, oval(126 * side, -12, 22, 32));
    fill(skin, () => {
      context.moveTo(-124, -60);
      context.bezierCurveTo(-128, 70, -74, 146, 0, 146);
      context.bezierCurveTo(74, 146, 128, 70, 124, -60);
      context.bezierCurveTo(120, -190, -120, -190, -124, -60);
    });
    frontOfHair();
    const isBlinking = seconds % 4 < 0.12;
    for (const side of [-1, 1]) {
      fill("rgb(230 90 70 / 18%)", oval(70 * side, 42, 30, 20));
      stroke(hairColour, 9, () => {
        context.moveTo(30 * side, -50);
        context.quadraticCurveTo(54 * side, -66, 80 * side, -50);
      });
      if (isBlinking) {
        stroke("#2a1b16", 6, () => {
          context.moveTo(40 * side, -8);
          context.lineTo(66 * side, -8);
        });
      } else {
        fill("#2a1b16", oval(53 * side, -10, 11, 14));
        fill("white", oval(53 * side + 4, -15, 4, 4));
      }
      if (portrait.glasses) {
        stroke("#3b3532", 7, () => context.roundRect(53 * side - 42, -48, 84, 72, 30));
      }
    }
    if (portrait.glasses) {
      stroke("#3b3532", 7, () => {
        context.moveTo(-11, -20);
        context.quadraticCurveTo(0, -28, 11, -20);
      });
    }
    stroke(SHADE, 8, () => {
      context.moveTo(2, 8);
      context.quadraticCurveTo(16, 34, -4, 36);
    });
    fill("#8f3a35", () => {
      context.moveTo(-46, 68);
      context.quadraticCurveTo(0, 86, 46, 68);
      context.quadraticCurveTo(30, 112, 0, 112);
      context.quadraticCurveTo(-30, 112, -46, 68);
    });
    fill("white", () => {
      context.moveTo(-38, 72);
      context.quadraticCurveTo(0, 88, 38, 72);
      context.quadraticCurveTo(0, 98, -38, 72);
    });
    if (portrait.headphones) {
      stroke("#39424a", 20, () => context.arc(0, -38, 150, 1.06 * Math.PI, 1.94 * Math.PI));
      for (const side of [-1, 1]) {
        fill("#39424a", () => context.roundRect(140 * side - 24, -56, 48, 92, 24));
      }
    }
    context.restore();
  };
  setInterval(draw, 100);

  const getUserMedia = media.getUserMedia.bind(media);
  media.getUserMedia = async (constraints = {}) => {
    const { video, ...others } = constraints;
    const audio = others.audio ? (await getUserMedia(others)).getTracks() : [];
    if (!video) return new MediaStream(audio);
    draw();
    return new MediaStream([...audio, ...canvas.captureStream(10).getVideoTracks()]);
  };
}
