// Frame statistics of each remote tile: its longest freeze, and whether it went black.

import { expect } from "@playwright/test";
import type { Participant } from "./participant.ts";

export interface FrameStats {
  name: string;
  /** Number of frames shown so far. */
  frames: number;
  /** Longest time between two frames, or since the last one, in milliseconds. */
  longestFreezeMs: number;
  /** End of the longest freeze, in milliseconds since counting began. */
  longestFreezeAtMs: number;
  /** Number of samples in which the tile was black. */
  blackSamples: number;
  /** Largest delay of the page's own timers, in milliseconds: a measure of the machine's load. */
  timerLagMs: number;
}

declare global {
  interface Window {
    frameStats: () => FrameStats[];
  }
}

/** Starts counting frames on all remote tiles, also on those that are added later. */
export async function countFrames(person: Participant): Promise<void> {
  await person.tab.evaluate(() => {
    interface Count {
      video: HTMLVideoElement;
      frames: number;
      lastAt: number;
      longestFreezeMs: number;
      longestFreezeAtMs: number;
      blackSamples: number;
    }
    const SAMPLE_INTERVAL_MS = 50;
    const start = performance.now();
    const counts = new Map<string, Count>();
    const canvas = document.createElement("canvas");
    canvas.width = 16;
    canvas.height = 16;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const isBlack = (video: HTMLVideoElement): boolean => {
      if (!context) return true;
      context.clearRect(0, 0, 16, 16);
      context.drawImage(video, 0, 0, 16, 16);
      const { data } = context.getImageData(0, 0, 16, 16);
      let brightness = 0;
      for (let i = 0; i < data.length; i += 4) {
        brightness += (data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0);
      }
      return brightness < 16 * 16 * 3 * 8;
    };
    // A tile keeps its count if its video element is replaced.
    const follow = (key: string, video: HTMLVideoElement) => {
      const count: Count = counts.get(key) ?? {
        video,
        frames: 0,
        lastAt: performance.now(),
        longestFreezeMs: 0,
        longestFreezeAtMs: 0,
        blackSamples: 0,
      };
      count.video = video;
      const onFrame = () => {
        if (count.video !== video) return;
        const now = performance.now();
        if (count.frames > 0 && now - count.lastAt > count.longestFreezeMs) {
          count.longestFreezeMs = now - count.lastAt;
          count.longestFreezeAtMs = now - start;
        }
        count.frames += 1;
        count.lastAt = now;
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
      counts.set(key, count);
    };
    let timerLagMs = 0;
    let sampledAt = start;
    const sample = () => {
      timerLagMs = Math.max(timerLagMs, performance.now() - sampledAt - SAMPLE_INTERVAL_MS);
      sampledAt = performance.now();
      for (const tile of document.querySelectorAll('[data-testid=tile][data-self="false"]')) {
        const key = tile.getAttribute("data-name") ?? "";
        const video = tile.querySelector("video");
        const count = counts.get(key);
        if (video && count?.video !== video) follow(key, video);
        else if (count && count.frames > 0 && isBlack(count.video)) count.blackSamples += 1;
      }
    };
    setInterval(sample, SAMPLE_INTERVAL_MS);
    window.frameStats = () =>
      [...counts].map(([name, count]) => {
        const { video, frames, lastAt } = count;
        const sinceLast = video.isConnected && frames > 0 ? performance.now() - lastAt : 0;
        return {
          name,
          frames,
          longestFreezeMs: Math.round(Math.max(count.longestFreezeMs, sinceLast)),
          longestFreezeAtMs: Math.round(count.longestFreezeAtMs),
          blackSamples: count.blackSamples,
          timerLagMs: Math.round(timerLagMs),
        };
      });
  });
}

/** Longest freeze allowed when the topology switches: a viewer should not notice the switch. */
const MAX_FREEZE_MS = 500;

/** Fails if the video of either participant froze or went black at the other. */
export async function expectNoFreeze(a: Participant, b: Participant): Promise<void> {
  const atA = await statsOf(a, b);
  const atB = await statsOf(b, a);
  console.log(`at ${a.name}`, JSON.stringify(atA), `at ${b.name}`, JSON.stringify(atB));
  for (const { frames, blackSamples, longestFreezeMs } of [atA, atB]) {
    expect(frames).toBeGreaterThan(50);
    expect(blackSamples).toBe(0);
    expect(longestFreezeMs).toBeLessThan(MAX_FREEZE_MS);
  }
}

async function statsOf(person: Participant, other: Participant): Promise<FrameStats> {
  const all = await person.tab.evaluate(() => window.frameStats());
  const stats = all.find(({ name }) => name === other.name);
  if (!stats) throw new Error(`${person.name} counted no frames of ${other.name}`);
  return stats;
}
