import { beforeEach, expect, test } from "vitest";
import { Playback } from "./playback.ts";

/** A `<video>` in a browser that may refuse playback. */
class FakeVideo extends EventTarget {
  paused = true;
  muted = false;
  isConnected = true;
  plays = 0;
  refuses: (video: FakeVideo) => boolean = () => false;

  async play(): Promise<void> {
    this.plays += 1;
    if (this.refuses(this)) throw new DOMException("refused by the test", "NotAllowedError");
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }
}

let now: number;
let isVisible: boolean;
let isBlocked: boolean;
let playback: Playback;

beforeEach(() => {
  now = 0;
  isVisible = true;
  isBlocked = false;
  playback = new Playback({
    isVisible: () => isVisible,
    now: () => now,
    onBlockedChange: (blocked) => {
      isBlocked = blocked;
    },
  });
});

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

function watched(video = new FakeVideo()): FakeVideo {
  playback.watch(video as unknown as HTMLVideoElement);
  return video;
}

test("a video paused by the system is resumed", async () => {
  const videos = [watched(), watched()];
  await settled();
  now = 60_000;
  for (const video of videos) video.pause();
  await settled();
  for (const video of videos) expect(video.paused).toBe(false);
  expect(isBlocked).toBe(false);
});

test("a video paused while the page is hidden is resumed when it becomes visible", async () => {
  const video = watched();
  await settled();
  now = 60_000;
  isVisible = false;
  video.pause();
  await settled();
  expect(video.plays).toBe(1);
  isVisible = true;
  playback.resume();
  await settled();
  expect(video.paused).toBe(false);
});

test("a tap restores video and audio after a refused resume", async () => {
  const video = watched();
  await settled();
  now = 60_000;
  video.refuses = () => true;
  video.pause();
  await settled();
  expect(isBlocked).toBe(true);
  video.refuses = () => false;
  playback.unlock();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, false, false]);
});

test("a video refused with audio plays muted until the tap", async () => {
  const video = new FakeVideo();
  video.refuses = ({ muted }) => !muted;
  watched(video);
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, true, true]);
  // Becoming visible does not replace the tap.
  video.paused = true;
  playback.resume();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, true, true]);
  video.refuses = () => false;
  playback.unlock();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, false, false]);
});

test("a muted video stays muted through refusal and tap", async () => {
  const video = new FakeVideo();
  video.muted = true;
  video.refuses = () => true;
  watched(video);
  await settled();
  expect(isBlocked).toBe(true);
  video.refuses = () => false;
  playback.unlock();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, true, false]);
});

test("a video paused again at once waits for a tap", async () => {
  const video = watched();
  await settled();
  now = 60_000;
  video.pause();
  await settled();
  now += 100;
  video.pause();
  await settled();
  expect([video.plays, isBlocked]).toEqual([2, true]);
  playback.unlock();
  await settled();
  expect([video.paused, isBlocked]).toEqual([false, false]);
});

test("an unwatched or removed video is neither played nor blocked", async () => {
  const video = new FakeVideo();
  video.refuses = () => true;
  const unwatch = playback.watch(video as unknown as HTMLVideoElement);
  await settled();
  expect(isBlocked).toBe(true);
  unwatch();
  expect(isBlocked).toBe(false);
  const { plays } = video;
  video.pause();
  playback.resume();
  playback.unlock();
  expect(video.plays).toBe(plays);

  const removed = watched();
  await settled();
  now = 60_000;
  removed.isConnected = false;
  removed.pause();
  expect(removed.plays).toBe(1);
});
