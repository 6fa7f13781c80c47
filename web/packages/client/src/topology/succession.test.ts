import { expect, test } from "vitest";
import type { Source } from "../rtc/source.ts";
import { FakeTrack } from "../testing/media.ts";
import { Succession } from "./succession.ts";

const track = (name: string) => new FakeTrack("audio", name) as unknown as MediaStreamTrack;

function world() {
  const succession = new Succession();
  const arrived = new Set<MediaStreamTrack>();
  const choose = (...microphones: MediaStreamTrack[]) => {
    const canFollow = (_: Source, each: MediaStreamTrack) => arrived.has(each);
    const { tracks, isAwaited } = succession.choose("a", { microphone: microphones }, canFollow);
    return [tracks.microphone, isAwaited] as const;
  };
  return { succession, arrived, choose };
}

test("the older track stays until the newer one delivers", () => {
  const { arrived, choose } = world();
  const [older, newer] = [track("older"), track("newer")];
  expect(choose(older)).toEqual([older, false]);
  expect(choose(older, newer)).toEqual([older, true]);
  arrived.add(newer);
  expect(choose(older, newer)).toEqual([newer, false]);
  arrived.delete(newer);
  expect(choose(older, newer)).toEqual([newer, false]);
  expect(choose(newer)).toEqual([newer, false]);
});

test("a new link begins with the older of two tracks, and the newest follows one that ends", () => {
  const { succession, choose } = world();
  const [first, second, third] = [track("first"), track("second"), track("third")];
  expect(choose(first, second)).toEqual([first, true]);
  expect(choose(second, third)).toEqual([third, false]);
  expect(choose()).toEqual([undefined, false]);
  expect(choose(first)).toEqual([first, false]);
  succession.remove("a");
  expect(choose(second, third)).toEqual([second, true]);
});
