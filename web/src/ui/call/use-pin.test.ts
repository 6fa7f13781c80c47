import { expect, test } from "vitest";
import { type Pin, pinnedKey } from "./use-pin.ts";

const pin: Pin = { key: "a", kind: "person", name: "Ada" };
const tile = (key: string, name: string, kind: Pin["kind"] = "person") => ({ key, name, kind });

test("a pinned tile stays pinned while it exists", () => {
  expect(pinnedKey(pin, [tile("b", "Ben"), tile("a", "Ada"), tile("c", "Ada")])).toBe("a");
  expect(pinnedKey(null, [tile("a", "Ada")])).toBe(null);
});

test("whoever comes back with a new id is pinned again", () => {
  expect(pinnedKey(pin, [tile("b", "Ben"), tile("z", "Ada"), tile("s", "Ada", "screen")])).toBe(
    "z",
  );
});

test("nobody is pinned by a name that two have, or none", () => {
  expect(pinnedKey(pin, [tile("y", "Ada"), tile("z", "Ada")])).toBe(null);
  expect(pinnedKey(pin, [tile("b", "Ben")])).toBe(null);
});
