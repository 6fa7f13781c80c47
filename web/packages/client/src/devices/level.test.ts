import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeDevices, FakeTrack, fakeStream } from "../testing/media.ts";
import { LevelMeter } from "./level.ts";
import { LocalMediaDevices } from "./local-media.ts";

/** An `AudioContext` controlled by a test. */
class FakeContext {
  static made: FakeContext[] = [];
  static refusesSources = false;
  static breaks = false;
  state = "running";
  resumed = 0;

  constructor() {
    if (FakeContext.breaks) throw new DOMException("", "NotSupportedError");
    FakeContext.made.push(this);
  }

  createAnalyser() {
    return {
      fftSize: 0,
      getFloatTimeDomainData: (samples: Float32Array) => samples.fill(0.5),
    };
  }

  createMediaStreamSource() {
    if (FakeContext.refusesSources) throw new DOMException("", "NotSupportedError");
    return { connect: () => {} };
  }

  async resume() {
    this.resumed += 1;
    throw new DOMException("", "InvalidStateError");
  }

  async close() {
    this.state = "closed";
    throw new DOMException("", "InvalidStateError");
  }
}

const track = () => new FakeTrack("audio", "audio1") as unknown as MediaStreamTrack;

beforeEach(() => {
  vi.useFakeTimers();
  FakeContext.made = [];
  FakeContext.refusesSources = false;
  FakeContext.breaks = false;
  vi.stubGlobal("AudioContext", FakeContext);
  vi.stubGlobal("MediaStream", class {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each(["refusesSources", "breaks"] as const)(
  "a meter that can't measure (%s) stays at 0 and the microphone opens",
  async (fault) => {
    FakeContext[fault] = true;
    const media = new LocalMediaDevices({
      devices: new FakeDevices().asDevices,
      permissions: undefined,
      storage: undefined,
      createStream: fakeStream,
    });
    const unsubscribe = media.level.subscribe(() => {});
    await media.start({ microphone: true, camera: false });
    expect(media.getSnapshot().microphone).toMatchObject({ on: true, problem: null });
    expect(media.level.linear).toBe(0);
    // Every context is closed again.
    expect(FakeContext.made.every(({ state }) => state === "closed")).toBe(true);
    unsubscribe();
  },
);

test("a meter that can't measure does not throw in subscribe", () => {
  FakeContext.refusesSources = true;
  const meter = new LevelMeter();
  meter.setTrack(track());
  expect(() => meter.subscribe(() => {})()).not.toThrow();
});

test.each(["suspended", "interrupted"])("a meter that is %s is resumed", async (state) => {
  const meter = new LevelMeter();
  meter.setTrack(track());
  const unsubscribe = meter.subscribe(() => {});
  const [context] = FakeContext.made;
  if (context) context.state = state;
  await vi.advanceTimersByTimeAsync(250);
  expect(context?.resumed).toBeGreaterThan(0);
  unsubscribe();
});

test("a meter measures only while there is a subscriber", async () => {
  const meter = new LevelMeter();
  meter.setTrack(track());
  const unsubscribe = meter.subscribe(() => {});
  await vi.advanceTimersByTimeAsync(250);
  expect(meter.linear).toBeCloseTo(0.5);
  unsubscribe();
  expect(meter.linear).toBe(0);
});

test("a muted microphone is measured, but its level is silence", async () => {
  const meter = new LevelMeter();
  const microphone = track();
  meter.setTrack(microphone);
  const unsubscribe = meter.subscribe(() => {});
  microphone.enabled = false;
  await vi.advanceTimersByTimeAsync(250);
  expect(meter.linear).toBe(0);
  expect(meter.captured).toBeCloseTo(0.5);
  const [context] = FakeContext.made;
  if (context) context.state = "suspended";
  await vi.advanceTimersByTimeAsync(250);
  expect(meter.captured).toBeNull();
  unsubscribe();
});
