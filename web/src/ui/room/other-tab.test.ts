import { expect, test, vi } from "vitest";
import { CallTabs, type TabPlatform } from "./other-tab.ts";

/** Several tabs of one browser, with locks as in the specification. */
function browser() {
  const held: { name: string; mode: string }[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => waiting.splice(0).forEach((again) => void again());
  const channels = new Set<{ onmessage: ((event: { data: unknown }) => void) | null }>();
  const request = async (
    name: string,
    { mode, signal }: { mode: string; signal?: AbortSignal },
    inside: () => unknown,
  ) => {
    const isFree = () =>
      !held.some(
        (lock) => lock.name === name && (lock.mode === "exclusive" || mode === "exclusive"),
      );
    while (!isFree()) {
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }
    const lock = { name, mode };
    held.push(lock);
    await inside();
    held.splice(held.indexOf(lock), 1);
    wake();
  };
  const platform = {
    locks: { query: async () => ({ held: [...held] }), request },
    createChannel: () => {
      const channel = {
        onmessage: null,
        postMessage: (data: unknown) => {
          for (const other of channels) if (other !== channel) other.onmessage?.({ data });
        },
        close: () => void channels.delete(channel),
      };
      channels.add(channel);
      return channel;
    },
  } as unknown as TabPlatform;
  return { platform, channels };
}

test("a second tab notices the first, and only in the same room", async () => {
  const { platform } = browser();
  const first = new CallTabs(platform, "tea");
  expect(await first.isElsewhere()).toBe(false);
  const release = first.hold(() => {});
  expect(await new CallTabs(platform, "tea").isElsewhere()).toBe(true);
  expect(await new CallTabs(platform, "coffee").isElsewhere()).toBe(false);
  release();
  await vi.waitFor(async () => expect(await first.isElsewhere()).toBe(false));
});

test("moving the call makes the first tab leave before the second enters", async () => {
  const { platform, channels } = browser();
  const steps: string[] = [];
  const release = new CallTabs(platform, "tea").hold(() => {
    steps.push("left");
    release();
  });
  await new CallTabs(platform, "tea").moveHere();
  steps.push("entered");
  expect(steps).toEqual(["left", "entered"]);
  expect(channels.size).toBe(0);
});

test("a frozen tab delays moving for a moment only", async () => {
  vi.useFakeTimers();
  const { platform } = browser();
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("timeout")), ms);
    return controller.signal;
  });
  new CallTabs(platform, "tea").hold(() => {});
  const moved = new CallTabs(platform, "tea").moveHere();
  await vi.advanceTimersByTimeAsync(3_000);
  await moved;
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A microphone of a tab. */
function microphone(on: boolean) {
  const listeners = new Set<() => void>();
  const media = {
    on,
    getSnapshot: () => ({ microphone: { on: media.on } }),
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    setMicrophone: async (on: boolean) => {
      media.on = on;
      for (const listener of listeners) listener();
    },
  };
  return { media: media as typeof media & Parameters<CallTabs["holdMicrophone"]>[0], listeners };
}

test("a tab notices open microphones in other calls, for as long as they are on", async () => {
  const { platform, channels } = browser();
  const { media, listeners } = microphone(false);
  const release = new CallTabs(platform, "tea").holdMicrophone(media);
  const coffee = new CallTabs(platform, "coffee");
  expect(await coffee.microphonesElsewhere()).toEqual([]);
  await media.setMicrophone(true);
  expect(await coffee.microphonesElsewhere()).toEqual(["tea"]);
  // In the same call it is the question of the second tab.
  expect(await new CallTabs(platform, "tea").microphonesElsewhere()).toEqual([]);
  expect(await coffee.isElsewhere()).toBe(false);
  await media.setMicrophone(false);
  await vi.waitFor(async () => expect(await coffee.microphonesElsewhere()).toEqual([]));
  await media.setMicrophone(true);
  release();
  await vi.waitFor(async () => expect(await coffee.microphonesElsewhere()).toEqual([]));
  expect([channels.size, listeners.size]).toEqual([0, 0]);
});

test("microphones in other calls are turned off at request, and no other", async () => {
  const { platform } = browser();
  const rooms = ["tea", "cake", "coffee"];
  const tabs = rooms.map((room) => {
    const { media } = microphone(true);
    new CallTabs(platform, room).holdMicrophone(media);
    return media;
  });
  await new CallTabs(platform, "coffee").muteElsewhere();
  expect(tabs.map(({ on }) => on)).toEqual([false, false, true]);
});

test("without locks, as on an insecure page, nothing is asked", async () => {
  const { platform } = browser();
  const tabs = new CallTabs({ ...platform, locks: undefined }, "tea");
  tabs.hold(() => {})();
  expect(await tabs.isElsewhere()).toBe(false);
  expect(await tabs.microphonesElsewhere()).toEqual([]);
  await tabs.moveHere();
  await tabs.muteElsewhere();
});
