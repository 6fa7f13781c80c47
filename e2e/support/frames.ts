// A frame counter on each tile: how long its picture ever stood still, and whether it went black.

import { expect } from "@playwright/test";
import type { Participant } from "./participant.ts";

export interface Frames {
  name: string;
  /** Frames shown so far. */
  shown: number;
  /** The longest time between two of them since counting began, in milliseconds; the last one lasts till now. */
  worst: number;
  /** Looks at which nothing but black was shown. */
  black: number;
  /** When the longest was over, in milliseconds since counting began. */
  worstAt: number;
  /** The latest that this page's own timers ever were meanwhile, in milliseconds: how busy the machine is. */
  lag: number;
}

declare global {
  interface Window {
    countedFrames: () => Frames[];
  }
}

/** Begins to count at the tiles of others that show a picture by now, and at later ones from their first frame. */
export async function countFrames(person: Participant): Promise<void> {
  await person.tab.evaluate(() => {
    interface Count {
      video: HTMLVideoElement;
      shown: number;
      last: number;
      worst: number;
      worstAt: number;
      black: number;
    }
    const began = performance.now();
    const counts = new Map<string, Count>();
    const canvas = document.createElement("canvas");
    canvas.width = 16;
    canvas.height = 16;
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    const isBlack = (video: HTMLVideoElement): boolean => {
      if (!paper) return true;
      paper.clearRect(0, 0, 16, 16);
      paper.drawImage(video, 0, 0, 16, 16);
      const { data } = paper.getImageData(0, 0, 16, 16);
      let light = 0;
      for (let i = 0; i < data.length; i += 4) {
        light += (data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0);
      }
      return light < 16 * 16 * 3 * 8;
    };
    // A tile that puts up another element goes on being one tile.
    const follow = (key: string, video: HTMLVideoElement) => {
      const before = counts.get(key);
      const last = performance.now();
      const count: Count = before ?? { video, shown: 0, last, worst: 0, worstAt: 0, black: 0 };
      count.video = video;
      const frame = () => {
        if (count.video !== video) return;
        const now = performance.now();
        if (count.shown > 0 && now - count.last > count.worst) {
          count.worst = now - count.last;
          count.worstAt = now - began;
        }
        count.shown += 1;
        count.last = now;
        video.requestVideoFrameCallback(frame);
      };
      video.requestVideoFrameCallback(frame);
      counts.set(key, count);
    };
    let lag = 0;
    let looked = began;
    const look = () => {
      lag = Math.max(lag, performance.now() - looked - 50);
      looked = performance.now();
      for (const tile of document.querySelectorAll('[data-testid=tile][data-self="false"]')) {
        const key = tile.getAttribute("data-name") ?? "";
        const video = tile.querySelector("video");
        const count = counts.get(key);
        if (video && count?.video !== video) follow(key, video);
        else if (count && count.shown > 0 && isBlack(count.video)) count.black += 1;
      }
    };
    setInterval(look, 50);
    window.countedFrames = () =>
      [...counts].map(([name, { video, shown, last, worst, worstAt, black }]) => {
        const still = video.isConnected && shown > 0 ? performance.now() - last : 0;
        return {
          name,
          shown,
          worst: Math.round(Math.max(worst, still)),
          worstAt: Math.round(worstAt),
          black,
          lag: Math.round(lag),
        };
      });
  });
}

/** Longest pause of video during a switch between mesh and SFU, in milliseconds. */
const FREEZE = 500;

/** Neither of the two lost the other's picture while frames were counted: none stood still for long or went black. */
export async function nobodyLost(a: Participant, b: Participant): Promise<void> {
  const [byA, byB] = [await framesOf(a, b), await framesOf(b, a)];
  console.log(`${a.name} saw`, JSON.stringify(byA), `${b.name} saw`, JSON.stringify(byB));
  for (const { shown, black, worst } of [byA, byB]) {
    expect(shown).toBeGreaterThan(50);
    expect(black).toBe(0);
    expect(worst).toBeLessThan(FREEZE);
  }
}

async function framesOf(person: Participant, other: Participant): Promise<Frames> {
  const all = await person.tab.evaluate(() => window.countedFrames());
  const frames = all.find(({ name }) => name === other.name);
  if (!frames) throw new Error(`${person.name} counted no frames of ${other.name}`);
  return frames;
}
