import { expect, test } from "vitest";
import type { TrackFilter } from "../api.ts";
import { FakeTrack, flush } from "../testing/media.ts";
import { FilterStage } from "./filter-stage.ts";

const newTrack = () => new FakeTrack("audio", "a") as unknown as MediaStreamTrack;

/** A filter whose every start is answered by the test. */
function pendingFilter() {
  const starts: { succeed: () => MediaStreamTrack; fail: () => void; isStopped: () => boolean }[] =
    [];
  const filter: TrackFilter = () =>
    new Promise((resolve, reject) => {
      let stopped = false;
      starts.push({
        succeed: () => {
          const track = newTrack();
          resolve({ track, stop: () => (stopped = true) });
          return track;
        },
        fail: () => reject(new Error("no WebAssembly")),
        isStopped: () => stopped,
      });
    });
  return { filter, starts };
}

function stage({ sendsInput = true } = {}) {
  const outputs: (MediaStreamTrack | null)[] = [];
  const failures: boolean[] = [];
  const made = new FilterStage({
    onOutput: (output) => outputs.push(output),
    onFailed: (hasFailed) => failures.push(hasFailed),
    sendsInput,
  });
  return { stage: made, outputs, failures };
}

test("the input is sent until the filter runs, and again without it", async () => {
  const { stage: filtered, outputs } = stage();
  const { filter, starts } = pendingFilter();
  const input = newTrack();
  filtered.setInput(input);
  filtered.setFilter(filter);
  const output = starts[0]?.succeed();
  await flush();
  expect(outputs).toEqual([input, input, output]);
  filtered.setFilter(null);
  expect(outputs.at(-1)).toBe(input);
  expect(starts[0]?.isStopped()).toBe(true);
});

test("a filter that starts too late is stopped, and its output is not sent", async () => {
  const { stage: filtered, outputs } = stage();
  const { filter, starts } = pendingFilter();
  filtered.setFilter(filter);
  filtered.setInput(newTrack());
  const next = newTrack();
  filtered.setInput(next);
  const late = starts[0]?.succeed();
  await flush();
  expect(starts[0]?.isStopped()).toBe(true);
  expect(outputs).not.toContain(late);
  expect(outputs.at(-1)).toBe(next);
});

test("a filter that can't run leaves the input and is reported", async () => {
  const { stage: filtered, outputs, failures } = stage();
  const { filter, starts } = pendingFilter();
  const input = newTrack();
  filtered.setInput(input);
  filtered.setFilter(filter);
  starts[0]?.fail();
  await flush();
  expect(failures).toEqual([true]);
  expect(outputs.at(-1)).toBe(input);
});

test("a failure is over once the filter runs, or is no longer wanted", async () => {
  const { stage: filtered, failures } = stage();
  const { filter, starts } = pendingFilter();
  filtered.setFilter(filter);
  filtered.setInput(newTrack());
  starts[0]?.fail();
  await flush();
  // Another microphone, with which the filter runs.
  filtered.setInput(newTrack());
  expect(failures).toEqual([true]);
  starts[1]?.succeed();
  await flush();
  expect(failures).toEqual([true, false]);
  filtered.setInput(newTrack());
  starts[2]?.fail();
  await flush();
  filtered.setFilter(null);
  expect(failures).toEqual([true, false, true, false]);
});

test("what must not be seen unfiltered is not sent before the filter runs, nor if it can't", async () => {
  const { stage: filtered, outputs } = stage({ sendsInput: false });
  const { filter, starts } = pendingFilter();
  const input = newTrack();
  filtered.setFilter(filter);
  filtered.setInput(input);
  const output = starts[0]?.succeed();
  await flush();
  expect(outputs).toEqual([null, null, output]);
  // Another camera, with which the filter can't run.
  const next = newTrack();
  filtered.setInput(next);
  expect(outputs.at(-1)).toBeNull();
  expect(starts[0]?.isStopped()).toBe(true);
  starts[1]?.fail();
  await flush();
  expect(outputs).not.toContain(input);
  expect(outputs).not.toContain(next);
  filtered.setFilter(null);
  expect(outputs.at(-1)).toBe(next);
});
