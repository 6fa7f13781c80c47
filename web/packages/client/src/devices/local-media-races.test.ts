import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SOURCES } from "../rtc/source.ts";
import { FakeDevices, fakeStream, flush } from "../testing/media.ts";
import { Scheduler } from "../testing/scheduler.ts";
import { LocalMediaDevices } from "./local-media.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Clicks, and devices that hang, are busy, end or are interrupted, in a seeded order. */
class World {
  readonly devices = new FakeDevices();
  readonly media: LocalMediaDevices;
  readonly #random: Scheduler;

  constructor(seed: number) {
    this.#random = new Scheduler(seed);
    this.devices.ids.audio.push("audio2");
    this.devices.ids.video.push("video2");
    this.media = new LocalMediaDevices({
      devices: this.devices.asDevices,
      permissions: {
        query: async () => ({ state: seed % 2 ? "granted" : "prompt" }),
      } as unknown as Permissions,
      storage: undefined,
      createStream: fakeStream,
    });
  }

  async step(): Promise<void> {
    const { devices, media } = this;
    const one = <T>(...all: T[]): T => all[this.#random.below(all.length)] as T;
    const track = () => devices.live[this.#random.below(devices.live.length)];
    const steps: (() => unknown)[] = [
      () => void media.start({ microphone: one(true, false), camera: one(true, false) }),
      () => void media.setMicrophone(one(true, false)),
      () => void media.setCamera(one(true, false)),
      () => void media.setScreen(one(true, false)),
      () => void media.choose("camera", one("video1", "video2", "gone")),
      () => void media.choose("microphone", one("audio1", "audio2", "gone")),
      () => media.stop(),
      () => devices.hanging.add(one("audio", "video", "screen")),
      () => devices.answer(),
      () => devices.busy.add(one("video1", "video2", "audio1", "audio2")),
      () => devices.busy.clear(),
      () => track()?.end(),
      () => track()?.interrupt(one(true, false)),
      () => vi.advanceTimersByTimeAsync(one(100, 3_000, 20_000)),
    ];
    await one(...steps)();
    await flush();
  }

  /** Tracks that capture without being held. */
  get stray(): string[] {
    const held = SOURCES.map((source) => this.media.tracks.getSnapshot()[source]?.id);
    return this.devices.live.map(({ id }) => id).filter((id) => !held.includes(id));
  }
}

test("in any order of events every captured track is held, and none after stop", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const world = new World(seed);
    for (let i = 0; i < 40; i++) {
      await world.step();
      expect(world.stray, `seed ${seed}, step ${i}`).toEqual([]);
      const { microphone, camera } = world.media.getSnapshot();
      const tracks = world.media.tracks.getSnapshot();
      expect(tracks.microphone?.enabled ?? false, `seed ${seed}`).toBe(microphone.on);
      expect(tracks.camera !== null, `seed ${seed}`).toBe(camera.held);
    }
    world.media.stop();
    await world.devices.answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.devices.live, `seed ${seed}`).toEqual([]);
    const { microphone, camera, screen } = world.media.getSnapshot();
    for (const device of [microphone, camera]) {
      expect(device).toMatchObject({ on: false, opening: false, held: false, problem: null });
    }
    expect(screen).toMatchObject({ on: false, opening: false });
  }
});
