import { beforeEach, expect, test } from "vitest";
import { Playback } from "./playback.ts";

/** A `<video>` of a browser that may refuse it. */
class FakeVideo extends EventTarget {
  paused = true;
  muted = false;
  isConnected = true;
  plays = 0;
  refuses: (video: FakeVideo) => boolean = () => false;

  async play(): Promise<void> {
    this.plays += 1;
    if (this.refuses(this)) throw new DOMException("as this test has it", "NotAllowedError");
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
  [now, isVisible, isBlocked] = [0, true, false];
  playback = new Playback({
    isVisible: () => isVisible,
    now: () => now,
    changed: (blocked) => {
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

test("a video that the system pauses is played again", async () => {
  const videos = [watched(), watched()];
  await settled();
  now = 60_000;
  for (const video of videos) video.pause();
  await settled();
  for (const video of videos) expect(video.paused).toBe(false);
  expect(isBlocked).toBe(false);
});

test("a video paused while the page is hidden is played when it is visible again", async () => {
  const video = watched();
  await settled();
  [now, isVisible] = [60_000, false];
  video.pause();
  await settled();
  expect(video.plays).toBe(1);
  isVisible = true;
  playback.resume();
  await settled();
  expect(video.paused).toBe(false);
});

test("where playing again is refused one tap brings picture and sound back", async () => {
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

test("a video whose sound is refused shows its picture until the tap", async () => {
  const video = new FakeVideo();
  video.refuses = ({ muted }) => !muted;
  watched(video);
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, true, true]);
  // Being visible again is no tap.
  video.paused = true;
  playback.resume();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, true, true]);
  video.refuses = () => false;
  playback.unlock();
  await settled();
  expect([video.paused, video.muted, isBlocked]).toEqual([false, false, false]);
});

test("one's own video stays muted through refusal and tap", async () => {
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

test("a system that insists is not fought, and a tap prevails", async () => {
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

test("a video that is gone is neither played nor waited for", async () => {
  const video = new FakeVideo();
  video.refuses = () => true;
  const forget = playback.watch(video as unknown as HTMLVideoElement);
  await settled();
  expect(isBlocked).toBe(true);
  forget();
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
